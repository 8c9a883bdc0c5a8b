// All tokens laid end to end, each as wide as its share, and where the random number fell.

import { element, tokenElement } from "../kit/element.js";

const LEAST = 0.002; // narrower slices are less than a pixel
const NAMED = 0.08; // a slice this wide has room for a token's name

export function cumulativeLine() {
  const slices = element("div", { class: "op-slices" });
  const mark = element("span", { class: "op-bar-mark" });
  const node = element("div", { class: "op-line", "aria-hidden": "true" },
    element("p", { class: "op-detail" }, "All tokens in a row, each as wide as its share. ",
      "The random number points at one."), element("div", {}, slices, mark));
  const show = (tokens, probabilities, drawn, u) => {
    let start = 0;
    const wide = [];
    probabilities.forEach((p, id) => {
      if (p >= LEAST) wide.push({ id, p, start });
      start += p;
    });
    slices.replaceChildren(...wide.map(({ id, p, start: from }) => {
      const slice = element("span", { class: id === drawn ? "op-slice op-hit" : "op-slice" });
      if (p >= NAMED) slice.append(tokenElement(tokens[id]));
      slice.style.insetInlineStart = `${100 * from}%`;
      slice.style.inlineSize = `${100 * p}%`;
      return slice;
    }));
    mark.hidden = drawn === undefined;
    if (!mark.hidden) mark.style.insetInlineStart = `${100 * u}%`;
  };
  return { node, show };
}
