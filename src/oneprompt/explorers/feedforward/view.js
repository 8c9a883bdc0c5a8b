// The feed-forward explorer: see FeedForwardExplorer in explorer.py for the state.

import { bar, facts, cells, lineChart } from "../kit/charts.js";
import { choice } from "../kit/controls.js";
import { element, shape, picture, tokenText, tokenElement } from "../kit/element.js";
import { integer, fixed } from "../kit/numbers.js";
import { renderPerPrompt } from "../kit/prompt.js";
import { setTraits } from "../kit/traits.js";
import { COLOR_LEVELS, DIGIT_BASE, FEEDFORWARD_TOP } from "../shared.js";
import { compute } from "./state.js";

const STATE = ["layer", "position", "row", "activation", "own", "curves"];
const FUNCTIONS = { relu: "ReLU", gelu: "GELU", gelu_tanh: "GELU, tanh", silu: "SiLU" };
const COLUMNS = 64; // of the grid of all units

const whole = (share) => `${Math.round(100 * share)} %`;

/** A curve of `count` + 1 points from -reach to reach, read at z: exact wherever it is straight. */
function valueAt(values, reach, z) {
  const last = values.length - 1;
  const x = Math.max(0, Math.min(last, ((z / reach + 1) / 2) * last));
  const i = Math.min(Math.floor(x), last - 1);
  return values[i] + (x - i) * (values[i + 1] - values[i]);
}

/** Everything that is shown. */
function measure(state) {
  const { tokens, layers, streams } = state.data;
  const here = layers[state.layer][state.position];
  const [unit, z, hidden] = here.units[state.row];
  const curve = state.curves.find(({ reach }) => Math.abs(z) <= reach) ?? state.curves.at(-1);
  const output = state.activation === state.own
    ? hidden : valueAt(curve[state.activation], curve.reach, z);
  return { ...state, ...here, tokens, unit, z, hidden, output, curve,
    stream: streams[state.position], F: here.levels.length };
}

/** The prompt, to choose a token from; under each the share of its units that are active. */
function tokenLine({ tokens }, change) {
  const shares = tokens.map(() => element("span", { class: "op-share" }));
  const options = tokens.map((token, i) => ({
    value: i,
    name: `position ${i}: ${tokenText(token)}`,
    content: element("span", {}, tokenElement(token), shares[i]),
  }));
  const chips = choice({ label: "Token", options, onInput: (position) => change({ position }) });
  chips.node.classList.add("op-ff-tokens");
  const show = ({ position, data, layer, F }) => {
    chips.show(position);
    shares.forEach((share, t) => { share.textContent = whole(data.layers[layer][t].active / F); });
  };
  return { node: chips.node, show };
}

/** Every unit of the chosen token and block as a cell, the one on the curve framed. */
function allUnits() {
  const title = element("p", { class: "op-title op-ff-title" });
  const grid = cells();
  const frame = element("span", { class: "op-ff-frame" });
  const figures = facts(["Active", "Write 90 %", "FFN adds"]);
  const node = element("div", {}, title,
    element("p", { class: "op-detail" }, "a cell per unit: the stronger, the more it writes; framed: the unit chosen below"),
    element("div", { class: "op-ff-grid", "aria-hidden": "true" }, grid.node, frame), figures.node);
  const show = ({ levels, unit, F, layer, tokens, position, active, needed, stream }) => {
    title.replaceChildren(`All ${integer(F)} units of block ${layer} at `, tokenElement(tokens[position]));
    const rows = Math.ceil(F / COLUMNS);
    const level = (digit) => parseInt(digit, DIGIT_BASE);
    grid.show(Array.from({ length: rows }, (_, y) =>
      Array.from({ length: COLUMNS }, (_, x) => level(levels[y * COLUMNS + x] ?? "0"))), COLOR_LEVELS);
    frame.style.insetInlineStart = `${(100 * (unit % COLUMNS)) / COLUMNS}%`;
    frame.style.insetBlockStart = `${(100 * Math.floor(unit / COLUMNS)) / rows}%`;
    frame.style.inlineSize = `${100 / COLUMNS}%`;
    frame.style.blockSize = `${100 / rows}%`;
    figures.show([`${active}`, whole(active / F)], [`${needed}`, whole(needed / F)],
      [fixed(stream.added[2 * layer + 1], 1), "in length"]);
  };
  return { node, show };
}

/** The units to choose from, with their numbers: those that write most, and two quiet ones. */
function unitList(count, change) {
  const rows = Array.from({ length: count }, (_, row) => {
    const texts = [0, 1, 2, 3].map(() => element("span", {}));
    return { row, texts, line: element("span", { class: "op-ff-line" }, ...texts) };
  });
  const list = choice({ label: "Unit",
    options: rows.map(({ row, line }) => ({ value: row, name: `${row}`, content: line })),
    onInput: (row) => change({ row }) });
  list.node.classList.add("op-ff-list");
  list.buttons[FEEDFORWARD_TOP].before(
    element("p", { class: "op-detail op-ff-apart" }, "the lowest h, and the lowest input"));
  const head = element("p", { class: "op-detail op-ff-line op-ff-head", "aria-hidden": "true" },
    ...["unit", "input z", "h", "writes"].map((name) => element("span", {}, name)));
  const show = ({ units, row: chosen }) => {
    list.show(chosen);
    units.forEach(([unit, ...values], row) => {
      const [z, h, written] = values.map((value) => fixed(value, 2));
      [`${unit}`, z, h, written].forEach((text, i) => { rows[row].texts[i].textContent = text; });
      list.buttons[row].setAttribute("aria-label",
        `unit ${unit}: input ${z}, h ${h}, writes a vector of length ${written}`);
    });
  };
  const title = element("p", { class: "op-title" }, "The units that write most");
  return { node: element("div", {}, title, head, list.node), show };
}

/** A histogram of the inputs, under the curve and on its axis. */
function inputCounts() {
  const node = picture({ class: "op-ff-counts", preserveAspectRatio: "none" });
  const show = ({ inputs, curve: { reach } }) => {
    const middle = inputs.length / 2; // bins of 0.5
    const near = inputs.slice(middle - 2 * reach, middle + 2 * reach);
    const most = Math.max(...inputs);
    node.setAttribute("viewBox", `0 0 ${near.length} ${most}`);
    node.replaceChildren(...near.map((count, x) => shape("rect", { x: x + 0.06, y: most - count,
      width: 0.88, height: count, class: x < near.length / 2 ? "op-ff-silent" : "op-above" })));
  };
  return { node, show };
}

/** The activation function with the chosen unit on it. */
function curvePanel({ curves }, change) {
  const functions = choice({ label: "Activation function",
    options: Object.entries(FUNCTIONS).map(([value, name]) => ({ value, name })),
    onInput: (activation) => change({ activation }) });
  const chart = lineChart({ last: curves[0].relu.length - 1, xLabel: "input z", className: "op-ff-chart" });
  const counts = inputCounts();
  const figures = facts(["Input z", "Output", "In this model"]);
  const title = element("p", { class: "op-title op-ff-title" });
  const node = element("div", { class: "op-ff-curve" }, title, functions.node, chart.node, counts.node,
    element("p", { class: "op-detail" }, "bars: how many units have an input there; blue where active"),
    figures.node);
  const show = (measured) => {
    const { activation, own, curve, z, output, hidden, unit } = measured;
    const { reach } = curve;
    title.textContent = `Unit ${unit} on the curve`;
    functions.show(activation);
    const lines = Object.keys(FUNCTIONS).filter((name) => name !== activation)
      .map((name) => ({ values: curve[name], kind: "other" }));
    const at = Math.max(-reach, Math.min(reach, z)); // beyond the longest axis: at its end
    chart.show([...lines, { values: curve[activation], kind: "now" }], [-reach / 8, reach],
      [((at / reach + 1) / 2) * (curve.relu.length - 1), Math.min(output, reach)], [-reach, reach]);
    counts.show(measured);
    figures.show([fixed(z, 2), `unit ${unit}`], [fixed(output, 2), FUNCTIONS[activation]],
      [fixed(hidden, 2), FUNCTIONS[own]]);
  };
  return { node, show };
}

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
function streamTable({ streams }) {
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

function build(widget, state) {
  const change = (settings) => setTraits(widget, settings);
  const { layers } = state.data;
  const blocks = choice({ label: "Block", onInput: (layer) => change({ layer }),
    options: layers.map((_, layer) => ({ value: layer, name: `block ${layer}`, content: `${layer}` })) });
  const row = element("div", { class: "op-order-row op-ff-blocks" }, "Block", blocks.node);
  const parts = [tokenLine(state.data, change), { node: row, show: ({ layer }) => blocks.show(layer) },
    allUnits(), unitList(layers[0][0].units.length, change), curvePanel(state, change), streamTable(state.data)];
  const [tokens, block, all, list, curve, stream] = parts.map((part) => part.node);
  const show = (measured) => parts.forEach((part) => part.show(measured));
  const detail = element("p", { class: "op-detail" }, "Below each token: the share of its units that is active.");
  return { nodes: [tokens, detail, block, all, element("div", { class: "op-ff-two" }, list, curve), stream], show };
}

export default {
  compute,
  render: ({ model: widget, el }) => renderPerPrompt({ widget, el, label: "Feed-forward explorer",
    traits: STATE, build, measure }),
};
