// Elements, shapes and token texts: what everything on a page is made of.

/** Strings among the children become text nodes: a token's text is never parsed as HTML. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Like `element`, for what goes inside an SVG picture. */
export function shape(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A picture that is only decoration: what it shows is beside it as text. */
export const picture = (attributes, ...children) =>
  shape("svg", { "aria-hidden": "true", ...attributes }, ...children);

const MARKS = new Map([[" ", "␣"], ["\n", "↵"], ["\r", "␍"], ["\t", "⇥"]]);

/** A token with its whitespace and control characters made visible. */
export function tokenText(text) {
  const mark = (c) => MARKS.get(c) ?? `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(/[\s\p{Cc}\p{Cf}]/gu, mark);
}

/** The same as an element. `bdi` keeps right-to-left tokens from reordering the text around. */
export const tokenElement = (text) => element("bdi", { class: "op-token" }, tokenText(text));
