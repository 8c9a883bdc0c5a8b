// The map of the logits explorer, and what is read in one of its cells.

import { choice } from "../kit/controls.js";
import { element, tokenElement, tokenText } from "../kit/element.js";
import { percent } from "../kit/numbers.js";

export const depthName = (depth) => (depth === 0 ? "embedding" : `layer ${depth - 1}`);

/** The same beside the map, where a narrow page has room only for "emb" and the number. */
function depthMark(depth) {
  const rest = (text) => element("span", { class: "op-lens-rest" }, text);
  return depth === 0
    ? element("span", {}, "emb", rest("edding"))
    : element("span", {}, rest("layer "), `${depth - 1}`);
}

/** What is read at one position and depth, with `shift` added to all logits of the row. */
export function read({ top, log_sum, followed, entropy }, shift = 0) {
  const logSum = log_sum + shift;
  const share = (logit) => Math.exp(logit - logSum);
  const tokens = top.map(([token, logit]) =>
    ({ token, logit: logit + shift, share: share(logit + shift) }));
  const fares = followed.map(([logit, rank]) => ({ rank, share: share(logit + shift) }));
  return { tokens, logSum, entropy, fares };
}

/** The first token at every position and depth, the embedding at the bottom. */
export function lensMap({ tokens, cells: { length: depthCount } }, change) {
  const T = tokens.length;
  const depths = Array.from({ length: depthCount }, (_, depth) => depth).reverse();
  const places = depths.flatMap((depth) => tokens.map((_, t) => [depth, t]));
  const grid = choice({
    label: "Position and depth", columns: T,
    onInput: (n) => change({ depth: Math.floor(n / T), position: n % T }),
    options: places.map(([depth, t]) => ({ value: depth * T + t, name: "" })),
  });
  const { node, scroll } = frame(tokens, depths, grid.node);
  let drawn = null;
  const fill = (cells) => places.forEach(([depth, t], n) =>
    draw(grid.buttons[n], read(cells[depth][t]), `${depthName(depth)}, position ${t}, after ${tokenText(tokens[t])}`));
  const show = ({ depth, position, cells }) => {
    if (drawn !== cells) fill(drawn = cells); // the other lens
    grid.show(depth * T + position);
    const { offsetLeft: left, offsetWidth: width } = grid.buttons[position];
    const hidden = left + width - scroll.clientWidth; // a long prompt's map scrolls
    scroll.scrollLeft = Math.min(Math.max(scroll.scrollLeft, hidden), left);
  };
  return { node, show };
}

/** The grid with the tokens above and the depths beside it. */
function frame(tokens, depths, grid) {
  const heads = element("div", { class: "op-lens-heads", "aria-hidden": "true" },
    ...tokens.map(tokenElement));
  const names = element("div", { class: "op-lens-names", "aria-hidden": "true" },
    ...depths.map(depthMark));
  const scroll = element("div", { class: "op-lens-scroll" }, heads, grid);
  const node = element("div", { class: "op-lens-map" },
    element("span", { class: "op-detail", "aria-hidden": "true" }, "after"), names, scroll);
  node.style.setProperty("--op-tokens", tokens.length);
  return { node, scroll };
}

/** A cell: the likeliest token, the bluer the likelier. */
function draw(button, { tokens: [{ token, share }], fares: [own] }, place) {
  button.replaceChildren(tokenElement(token));
  button.setAttribute("aria-label", `${place}: ${tokenText(token)}, ${percent(share)}`);
  button.style.setProperty("--op-weight", share.toFixed(4));
  button.classList.toggle("op-own", own.rank === 1);
}
