// The logits explorer: see LogitsExplorer in explorer.py for the state.

import { bar, facts } from "../kit/charts.js";
import { choice, slider, steps } from "../kit/controls.js";
import { element, tokenElement } from "../kit/element.js";
import { percent, integer, number, fixed } from "../kit/numbers.js";
import { renderPerPrompt } from "../kit/prompt.js";
import { setTraits } from "../kit/traits.js";
import { LOGITS_LARGEST_SHIFT } from "../shared.js";
import { depthName, lensMap, read } from "./map.js";
import { path } from "./path.js";
import { compute } from "./state.js";

const STATE = ["position", "depth", "shift", "tuned", "follow"];

/** Everything that is shown. */
function measure(state) {
  const { data, position, depth, shift, tuned, follow } = state;
  const cells = (tuned && data.tuned) || data.cells;
  const second = Math.max(1, data.followed[position].indexOf(follow));
  const paths = cells.map((row) => read(row[position]).fares);
  return { ...state, cells, paths, second, row: read(cells[depth][position], shift) };
}

/** The chosen row of logits: its largest ones, and all others in one line. */
function rowTable({ vocab_size, cells: [[{ top }]] }) {
  const title = element("p", { class: "op-title" });
  const others = vocab_size - top.length;
  const lines = Array.from({ length: top.length + (others > 0 ? 1 : 0) }, () => {
    const name = element("th", { scope: "row" });
    const shares = bar();
    const [logit, share] = [element("td", {}), element("td", {})];
    const node = element("tr", {}, name, logit, element("td", {}, shares.node), share);
    const show = (label, logitText, p) => {
      name.replaceChildren(label);
      logit.textContent = logitText;
      shares.show({ before: 0, after: p, mark: null });
      share.textContent = percent(p);
    };
    return { node, show };
  });
  const head = (text) => element("th", { scope: "col" }, text);
  const table = element("table", { class: "op-table" },
    element("caption", {}, "The largest logits at the chosen position and depth"),
    element("thead", {}, element("tr", {}, head("Token"), head("Logit"), element("td", {}),
      head("Probability"))),
    element("tbody", {}, ...lines.map((line) => line.node)));
  const show = ({ data, position, depth, row }) => {
    const last = depth === data.cells.length - 1;
    title.replaceChildren("After ", tokenElement(data.tokens[position]),
      `, read at ${depthName(depth)}`, last ? ": the model’s own logits" : "");
    row.tokens.forEach(({ token, logit, share }, i) => {
      lines[i].show(tokenElement(token), fixed(logit, 2), share);
      lines[i].node.classList.toggle("op-own", i === row.fares[0].rank - 1);
    });
    const rest = 1 - row.tokens.reduce((sum, { share }) => sum + share, 0);
    // Small, but never zero, even where the rounded state adds up to more than 1.
    if (others > 0) lines.at(-1).show(`${integer(others)} others`, "", Math.max(1e-9, rest));
  };
  return { title, node: table, show };
}

/** Figures of the row as a whole, and the constant that moves the logits and nothing else. */
function rowFacts(change) {
  const logSum = element("span", {}, "log Σ e", element("sup", {}, "logit"));
  const figures = facts([logSum, "Lead over the second", "Entropy"]);
  const shifted = slider({
    label: "Add to every logit", stops: steps(-LOGITS_LARGEST_SHIFT, LOGITS_LARGEST_SHIFT, 5),
    describe: (c) => (c > 0 ? `+${number(c)}` : number(c)), onInput: (shift) => change({ shift }),
  });
  const node = element("div", { class: "op-row-facts" }, shifted.node, figures.node,
    element("p", { class: "op-detail" }, "probability = e", element("sup", {}, "logit − log Σ e", element("sup", {}, "logit"))));
  const show = ({ row: { tokens: [first, second], logSum: sum, entropy }, shift }) => {
    shifted.show(shift);
    const lead = second ? first.logit - second.logit : 0;
    figures.show([fixed(sum, 2), ""],
      [fixed(lead, 2), lead > Math.log(1e6) ? " over a million × as likely"
        : ` ${number(Math.exp(lead))} × as likely`],
      [`${entropy.toFixed(2)} bits`, ""]);
  };
  return { node, show };
}

/** Which lens reads, where there are two. */
function lensSwitch(change) {
  const which = choice({ label: "Lens", onInput: (tuned) => change({ tuned }),
    options: [[false, "plain lens"], [true, "tuned lens"]].map(([value, name]) => ({ value, name })) });
  return { node: which.node, show: ({ tuned }) => which.show(tuned) };
}

function build(widget, { data }) {
  const change = (settings) => setTraits(widget, settings);
  const parts = [lensMap(data, change), path(data.cells.length, change), rowTable(data),
    rowFacts(change), lensSwitch(change)];
  const [map, rise, table, figures, which] = parts;
  const nodes = [
    element("div", { class: "op-lens" }, map.node, element("div", { class: "op-lens-note" },
      element("p", { class: "op-detail" },
        "The likeliest next token. Bluer: likelier. Bold: already the model’s own first choice."),
      ...(data.tuned ? [which.node] : [])), rise.node),
    element("div", { class: "op-row" }, table.title, table.node, figures.node),
  ];
  return { nodes, show: (measured) => parts.forEach((part) => part.show(measured)) };
}

export default {
  compute,
  render: ({ model: widget, el }) => renderPerPrompt({ widget, el, label: "Logits explorer",
    kind: "op-logits", traits: STATE, build, measure }),
};
