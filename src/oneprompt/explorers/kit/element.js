// What every explorer draws with: elements, numbers, token texts, sliders, buttons, bars.
// `Explorer` (base.py) puts this file in front of each explorer's own module.

const MAX_TOKENS = 24; // of a prompt with a row or column per token; also in base.py

/** Strings among the children become text nodes: a token's text is never parsed as HTML. */
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** 0.4123 -> "41.2 %"; an exact zero reads "0 %", anything smaller than 0.1 % "<0.1 %". */
function percent(probability) {
  if (probability === 0) return "0 %";
  return probability < 0.0005 ? "<0.1 %" : `${(100 * probability).toFixed(1)} %`;
}

/** 2048 -> "2,048", the same in every locale, as the book's text has it. */
const integer = (number) => number.toLocaleString("en-US");

const MARKS = new Map([[" ", "␣"], ["\n", "↵"], ["\r", "␍"], ["\t", "⇥"]]);

/** A token with its whitespace and control characters made visible. */
function tokenText(text) {
  const mark = (c) => MARKS.get(c) ?? `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(/[\s\p{Cc}\p{Cf}]/gu, mark);
}

/** The same as an element. `bdi` keeps right-to-left tokens from reordering what is around. */
const tokenElement = (text) => element("bdi", { class: "op-token" }, tokenText(text));

/** Calls `callback` when one of the traits changes; returns the function that ends it. */
function watch(model, traits, callback) {
  for (const trait of traits) model.on(`change:${trait}`, callback);
  return () => traits.forEach((trait) => model.off(`change:${trait}`, callback));
}

/** The values of the traits. */
const valuesOf = (model, traits) =>
  Object.fromEntries(traits.map((trait) => [trait, model.get(trait)]));

/** Sets traits and lets Python know. */
function setTraits(model, values) {
  for (const [trait, value] of Object.entries(values)) model.set(trait, value);
  model.save_changes();
}

/** `steps(0, 2, 0.05)` -> [0, 0.05, …, 2], without the rounding errors of repeated addition. */
function steps(first, last, step) {
  const count = Math.round((last - first) / step) + 1;
  return Array.from({ length: count }, (_, i) => Number((first + i * step).toFixed(6)));
}

/**
 * A labeled slider over the values `stops`; `describe(value)` is what eye and ear are told.
 * A value set from Python may lie between two stops: its text is exact, the thumb at the nearest.
 */
function slider({ label, stops, describe, onInput }) {
  const value = element("span", { class: "op-value" });
  // JupyterLab would take the arrow keys for moving between cells.
  const input = element("input", {
    type: "range", min: 0, max: stops.length - 1, step: 1,
    "aria-label": label, "data-lm-suppress-shortcuts": "true",
  });
  input.addEventListener("input", () => onInput(stops[input.valueAsNumber]));
  const node = element("label", { class: "op-slider" }, label, value, input);
  const show = (current) => {
    const distance = stops.map((stop) => Math.abs(stop - current));
    input.value = distance.indexOf(Math.min(...distance));
    value.textContent = describe(current);
    input.setAttribute("aria-valuetext", describe(current));
  };
  return { node, show };
}

/** A function to await between pieces of work: after 10 ms of it, the page may draw. */
function pauses() {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < 10) return;
    await new Promise((drawn) => { setTimeout(drawn); });
    since = performance.now();
  };
}

function button(text, onClick) {
  const node = element("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, text);
  node.addEventListener("click", onClick);
  return node;
}

/**
 * A horizontal bar from 0 to 100 %: an outline (before), a solid bar (after) and a mark (a share
 * observed, hidden while null). Decoration only: the same numbers stand beside it as text.
 */
function bar() {
  const [before, after, mark] = ["before", "after", "mark"].map(
    (name) => element("span", { class: `op-bar-${name}` }));
  const node = element("span", { class: "op-bar", "aria-hidden": "true" }, after, before, mark);
  const show = (shares) => {
    before.style.inlineSize = `${100 * shares.before}%`;
    after.style.inlineSize = `${100 * shares.after}%`;
    mark.hidden = shares.mark === null;
    if (!mark.hidden) mark.style.insetInlineStart = `${100 * shares.mark}%`;
  };
  return { node, show };
}

/**
 * A line for the reader's own prompt. Python computes it in a notebook, on a static page the model in
 * the page does (see twin.js); both answer through the traits `prompt` and `notice`.
 */
function promptForm(model) {
  const input = element("input", {
    type: "text", "aria-label": "Your prompt", autocomplete: "off", spellcheck: "false", dir: "auto",
    "data-lm-suppress-shortcuts": "true",
  });
  input.addEventListener("input", () => model.set("notice", ""));
  const run = element("button", { type: "submit", "data-lm-suppress-shortcuts": "true" }, "Run");
  const notice = element("p", { class: "op-notice", role: "status" });
  const form = element("form", { class: "op-ask" }, input, run);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    model.set("notice", input.value === "" ? "The prompt is empty: type a question." : "");
    model.set("asked", ""); // so that the same text again is a change, too
    model.set("asked", input.value);
    model.save_changes();
  });
  input.value = model.get("prompt");
  const show = () => { notice.textContent = model.get("notice"); };
  return { node: element("div", {}, form, notice), show };
}

/**
 * Draws an explorer that is built anew for every prompt, which is when the trait `data` changes:
 * `build(model, state)` gives {nodes, show}, and `show` takes what `measure(state)` makes of `traits`.
 */
function renderPerPrompt({ model, el, label, kind = "", traits, data, build, measure }) {
  const ask = promptForm(model);
  const body = element("div", {});
  let [drawn, view] = [null, null];
  const redraw = () => {
    const state = valuesOf(model, traits);
    if (state[data] !== drawn) {
      drawn = state[data];
      view = build(model, state);
      body.replaceChildren(...view.nodes);
    }
    view.show(measure(state));
    ask.show();
  };
  // First, since a part may scroll, which it can only where it has a size.
  el.append(element("section", { class: `op-explorer ${kind}`.trim(), "aria-label": label },
    ask.node, body));
  redraw();
  return watch(model, traits, redraw);
}
