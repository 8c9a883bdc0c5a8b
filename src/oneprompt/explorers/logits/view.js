// The logits explorer: see LogitsExplorer in explorer.py for the state.

import { bar, facts } from "../kit/charts.js";
import { steps, slider, choice } from "../kit/controls.js";
import { element, tokenText, tokenElement } from "../kit/element.js";
import { percent, integer, number, fixed } from "../kit/numbers.js";
import { renderPerPrompt } from "../kit/prompt.js";
import { setTraits } from "../kit/traits.js";
import { LOGITS_LARGEST_SHIFT } from "../shared.js";
import { compute } from "./state.js";

const STATE = ["position", "depth", "shift"];

const depthName = (depth) => (depth === 0 ? "embedding" : `layer ${depth - 1}`);

/** The same beside the map, where a narrow page has room only for "emb" and the number. */
function depthMark(depth) {
  const rest = (text) => element("span", { class: "op-lens-rest" }, text);
  return depth === 0
    ? element("span", {}, "emb", rest("edding"))
    : element("span", {}, rest("layer "), `${depth - 1}`);
}

/** What is read at one position and depth, with `shift` added to all logits of the row. */
function read({ top, log_sum, own: [ownLogit, rank], entropy }, shift = 0) {
  const logSum = log_sum + shift;
  const share = (logit) => Math.exp(logit - logSum);
  const tokens = top.map(([token, logit]) =>
    ({ token, logit: logit + shift, share: share(logit + shift) }));
  return { tokens, logSum, entropy, own: { rank, share: share(ownLogit + shift) } };
}

/** Everything that is shown. */
function measure(state) {
  const { data: { cells }, position, depth, shift } = state;
  const path = cells.map((row) => read(row[position]).own);
  return { ...state, path, row: read(cells[depth][position], shift) };
}

/** The first token at every position and depth, the embedding at the bottom. */
function lensMap({ tokens, cells: all }, change) {
  const T = tokens.length;
  const depths = Array.from(all.keys()).reverse();
  const grid = choice({
    label: "Position and depth", columns: T,
    onInput: (n) => change({ depth: Math.floor(n / T), position: n % T }),
    options: depths.flatMap((depth) => all[depth].map((cell, t) => {
      const { token, share } = read(cell).tokens[0];
      return {
        value: depth * T + t, content: tokenElement(token),
        name: `${depthName(depth)}, position ${t}, after ${tokenText(tokens[t])}: `
          + `${tokenText(token)}, ${percent(share)}`,
      };
    })),
  });
  depths.flatMap((depth) => all[depth]).forEach((cell, n) => {
    const { tokens: [{ share }], own } = read(cell);
    grid.buttons[n].style.setProperty("--op-weight", share.toFixed(4));
    grid.buttons[n].classList.toggle("op-own", own.rank === 1);
  });
  const heads = element("div", { class: "op-lens-heads", "aria-hidden": "true" },
    ...tokens.map(tokenElement));
  const names = element("div", { class: "op-lens-names", "aria-hidden": "true" },
    ...depths.map(depthMark));
  const scroll = element("div", { class: "op-lens-scroll" }, heads, grid.node);
  const node = element("div", { class: "op-lens-map" },
    element("span", { class: "op-detail", "aria-hidden": "true" }, "after"), names, scroll);
  node.style.setProperty("--op-tokens", T);
  const show = ({ depth, position }) => {
    grid.show(depth * T + position);
    const { offsetLeft: left, offsetWidth: width } = grid.buttons[position];
    const hidden = left + width - scroll.clientWidth; // a long prompt's map scrolls
    scroll.scrollLeft = Math.min(Math.max(scroll.scrollLeft, hidden), left);
  };
  return { node, show };
}

/** How the model's own first choice for the chosen position fares at every depth. */
function path(depths) {
  const token = element("span", { class: "op-path-token" });
  const lines = Array.from({ length: depths }, (_, depth) => {
    const shares = bar();
    const [value, rank] = [element("span", {}), element("span", { class: "op-path-rank" })];
    const node = element("li", {},
      element("span", { class: "op-path-name" }, depthName(depth)), shares.node, value, rank);
    return { node, shares, value, rank };
  });
  const node = element("div", { class: "op-path" }, token,
    element("ol", {}, ...lines.map((line) => line.node).reverse()));
  const show = ({ data, position, depth, path: own }) => {
    token.replaceChildren(element("span", { class: "op-detail" }, "how likely is "),
      tokenElement(data.cells.at(-1)[position].top[0][0]));
    lines.forEach((line, d) => {
      line.node.classList.toggle("op-chosen", d === depth);
      line.shares.show({ before: 0, after: own[d].share, mark: null });
      line.value.textContent = percent(own[d].share);
      line.rank.textContent = `rank ${integer(own[d].rank)}`;
    });
  };
  return { node, show };
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
      lines[i].node.classList.toggle("op-own", i === row.own.rank - 1);
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

function build(widget, { data }) {
  const change = (settings) => setTraits(widget, settings);
  const [map, rise, table, figures] = [lensMap(data, change), path(data.cells.length),
    rowTable(data), rowFacts(change)];
  const nodes = [
    element("div", { class: "op-lens" }, map.node, element("p", { class: "op-detail" },
      "The likeliest next token. Bluer: likelier. Bold: already the model’s own first choice."),
      rise.node),
    element("div", { class: "op-row" }, table.title, table.node, figures.node),
  ];
  const show = (measured) => [map, rise, table, figures].forEach((part) => part.show(measured));
  return { nodes, show };
}

export default {
  compute,
  render: ({ model: widget, el }) => renderPerPrompt({ widget, el, label: "Logits explorer",
    kind: "op-logits", traits: STATE, build, measure }),
};
