// The residual stream of the chosen token as a table.

import { bar } from "../kit/charts.js";
import { element, tokenElement } from "../kit/element.js";
import { fixed } from "../kit/numbers.js";

/** One line of the stream's table: 0 is the embedding, then attention and FFN in turn. */
function streamLine(step) {
  const part = step % 2 ? "attention" : "FFN";
  const name = step === 0 ? "embedding" : `${part} ${Math.ceil(step / 2) - 1}`;
  const shares = bar();
  const texts = ["adds", "cosine", "stream"].map((column) => element("td", { class: `op-ff-${column}` }));
  const node = element("tr", { class: step === 0 ? "" : `op-ff-${part}` },
    element("th", { scope: "row" }, name), element("td", {}, shares.node), ...texts);
  const show = ({ lengths, added, cosines }, layer) => {
    const largest = Math.max(...lengths, ...added);
    node.classList.toggle("op-chosen", step === 2 * layer + 2);
    shares.show({ before: lengths[step] / largest, after: (added[step - 1] ?? 0) / largest, mark: null });
    texts[2].textContent = fixed(lengths[step], 1);
    if (step === 0) return; // the embedding is added to nothing
    texts[0].textContent = fixed(added[step - 1], 1);
    texts[1].textContent = fixed(cosines[step - 1], 2);
  };
  return { node, show };
}

/** The length of the residual stream after every part, and of what the part adds. */
export function streamTable({ streams }) {
  const title = element("p", { class: "op-title op-ff-title" });
  const lines = streams[0].lengths.map((_, step) => streamLine(step));
  const head = ["adds", "cosine", "stream"].map((column) =>
    element("th", { scope: "col", class: `op-ff-${column}` }, column));
  const legend = [["op-ff-swatch-attention", "attention adds"], ["op-bar-after", "FFN adds"],
    ["op-bar-before", "the stream afterwards"]].map(([kind, text]) => element("span", {},
    element("span", { class: `op-swatch ${kind}`, "aria-hidden": "true" }), text));
  const node = element("div", { class: "op-ff-stream" }, title,
    element("p", { class: "op-detail" }, "lengths", element("span", { class: "op-ff-cosine" },
      "; cosine: of the angle between what is added and the stream before")),
    element("table", { class: "op-table" },
      element("caption", {}, "The residual stream of the chosen token: lengths after each step"),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "step"),
        element("td", {}), ...head)),
      element("tbody", {}, ...lines.map((line) => line.node))),
    element("p", { class: "op-legend" }, ...legend));
  const show = ({ stream, tokens, position, layer }) => {
    title.replaceChildren("The residual stream at ", tokenElement(tokens[position]));
    lines.forEach((line) => line.show(stream, layer));
  };
  return { node, show };
}
