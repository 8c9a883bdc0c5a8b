// The feed-forward explorer: see FeedForwardExplorer in explorer.py for the state.

import { cells, facts } from "../kit/charts.js";
import { choice } from "../kit/controls.js";
import { element, tokenText, tokenElement } from "../kit/element.js";
import { languageModel } from "../kit/language_model.js";
import { integer, fixed } from "../kit/numbers.js";
import { renderPerPrompt } from "../kit/prompt.js";
import { setTraits } from "../kit/traits.js";
import {
  DIGIT_BASE, FEEDFORWARD_BEFORE, FEEDFORWARD_NEXT, FEEDFORWARD_PLACES, FEEDFORWARD_TOP,
} from "../shared.js";
import { curveFor, curvePanel, outputOf } from "./curve.js";
import { compute, withoutUnit } from "./state.js";
import { streamTable } from "./stream.js";

const STATE = ["layer", "position", "unit", "activation", "silence", "view", "own", "curves",
  "lengths", "openings", "places", "without"];
const VIEWS = { unit: "the unit", curve: "its curve", stream: "the stream" };
const COLUMNS = 32; // of the grid of all units: wide enough for a finger on a phone

const whole = (share) => `${Math.round(100 * share)} %`;

/** What the units of a block say at a token, and the lengths of what they write. */
function unitsOf({ data, own, curves, lengths }, layer, position) {
  const inputs = data.inputs[layer][position];
  const hidden = inputs.map((z) => outputOf(curves, z, own));
  return { inputs, hidden, written: hidden.map((h, j) => Math.abs(h) * lengths[layer][j]) };
}

/** Everything that is shown. */
function measure(state) {
  const { data, layer, position, unit, activation, curves, without, silence } = state;
  const { inputs, hidden, written } = unitsOf(state, layer, position);
  const order = written.map((_, j) => j).sort((a, b) => written[b] - written[a]);
  const z = inputs[unit];
  return { ...state, tokens: data.tokens, F: inputs.length, inputs, hidden, written, order, z,
    curve: curveFor(curves, z), output: outputOf(curves, z, activation), stream: data.streams[position],
    silenced: without[silence === "unit" ? `${layer}:${unit}` : `${layer}`] };
}

/** The prompt, to choose a token from. */
function tokenLine({ tokens }, change) {
  const options = tokens.map((token, i) => ({
    value: i, name: `position ${i}: ${tokenText(token)}`, content: tokenElement(token),
  }));
  const chips = choice({ label: "Token", options, onInput: (position) => change({ position }) });
  chips.node.classList.add("op-ff-tokens");
  return { node: chips.node, show: ({ position }) => chips.show(position) };
}

/**
 * The block, and the unit as a number, for those who cannot tap. Unit 5 of one block has nothing to
 * do with unit 5 of the next: a new block shows the unit that writes most there.
 */
function blockLine(state, position, change) {
  const { inputs } = state.data;
  const F = inputs[0][0].length;
  const loudest = (layer) => {
    const { written } = unitsOf(state, layer, position());
    return written.indexOf(Math.max(...written));
  };
  const field = element("input", { type: "number", min: 0, max: F - 1, "aria-label": "Unit number",
    "data-lm-suppress-shortcuts": "true" });
  field.addEventListener("change", () => {
    const unit = Math.max(0, Math.min(F - 1, Math.round(field.valueAsNumber)));
    if (Number.isNaN(unit)) return;
    field.value = unit; // here too: it may be the one that is chosen
    change({ unit });
  });
  const blocks = choice({ label: "Block",
    onInput: (layer) => change({ layer, unit: loudest(layer) }),
    options: inputs.map((_, layer) => ({ value: layer, name: `block ${layer}`, content: `${layer}` })) });
  const node = element("div", { class: "op-order-row op-ff-blocks" }, "Block", blocks.node,
    element("label", { class: "op-ff-number" }, "Unit", field));
  const show = ({ layer, unit }) => {
    blocks.show(layer);
    field.value = unit;
  };
  return { node, show };
}

/** Every unit of the chosen token and block as a cell; a tap chooses one. */
function allUnits(change) {
  const title = element("p", { class: "op-title op-ff-title" });
  const grid = cells();
  const frame = element("span", { class: "op-ff-frame" });
  const figures = facts(["Match above 0", "Write 90 % of all", "FFN adds"]);
  const area = element("div", { class: "op-ff-grid", "aria-hidden": "true" }, grid.node, frame);
  let [F, rows] = [0, 0];
  area.addEventListener("click", ({ clientX, clientY }) => {
    const { left, top, width, height } = area.getBoundingClientRect();
    const column = Math.min(COLUMNS - 1, Math.floor((COLUMNS * (clientX - left)) / width));
    const unit = COLUMNS * Math.min(rows - 1, Math.floor((rows * (clientY - top)) / height)) + column;
    if (unit < F) change({ unit });
  });
  const node = element("div", {}, title,
    element("p", { class: "op-detail" }, "tap one; the bluer, the more it writes"), area, figures.node);
  const show = (measured) => {
    const { written, order, inputs, unit, layer, tokens, position, stream } = measured;
    [F, rows] = [inputs.length, Math.ceil(inputs.length / COLUMNS)];
    title.replaceChildren(`The ${integer(F)} units of block ${layer} at `, tokenElement(tokens[position]));
    const largest = Math.max(written[order[0]], 1e-9);
    grid.show(Array.from({ length: rows }, (_, y) =>
      Array.from({ length: COLUMNS }, (_x, x) => written[y * COLUMNS + x] ?? 0)), largest);
    frame.style.insetInlineStart = `${(100 * (unit % COLUMNS)) / COLUMNS}%`;
    frame.style.insetBlockStart = `${(100 * Math.floor(unit / COLUMNS)) / rows}%`;
    frame.style.inlineSize = `${100 / COLUMNS}%`;
    frame.style.blockSize = `${100 / rows}%`;
    const active = inputs.filter((z) => z > 0).length;
    const enough = 0.9 * written.reduce((a, b) => a + b);
    let [needed, sum] = [0, 0];
    do sum += written[order[needed++]]; while (sum < enough);
    figures.show([`${active}`, whole(active / F)], [`${needed}`, whole(needed / F)],
      [fixed(stream.added[2 * layer + 1], 1), "in length"]);
  };
  return { node, show };
}

/** The units that write most, to choose from. */
function unitList(F, change) {
  let shown = [];
  const rows = Array.from({ length: Math.min(FEEDFORWARD_TOP, F) }, (_, place) => {
    const texts = [0, 1, 2, 3].map(() => element("span", {}));
    return { place, texts, line: element("span", { class: "op-ff-line" }, ...texts) };
  });
  const list = choice({ label: "Units that write most",
    options: rows.map(({ place, line }) => ({ value: place, name: `${place}`, content: line })),
    onInput: (place) => change({ unit: shown[place] }) });
  list.node.classList.add("op-ff-list");
  const head = element("p", { class: "op-detail op-ff-line op-ff-head", "aria-hidden": "true" },
    ...["unit", "match z", "bent", "writes"].map((name) => element("span", {}, name)));
  const show = ({ order, inputs, hidden, written, unit }) => {
    shown = order;
    list.show(order.slice(0, rows.length).indexOf(unit));
    rows.forEach(({ place, texts }) => {
      const j = order[place];
      const [z, h] = [inputs, hidden].map((values) => fixed(values[j], 2));
      const length = fixed(written[j], 1);
      [`${j}`, z, h, length].forEach((text, i) => { texts[i].textContent = text; });
      list.buttons[place].setAttribute("aria-label",
        `unit ${j}: match ${z}, bent ${h}, writes a vector of length ${length}`);
    });
  };
  const node = element("div", {}, element("p", { class: "op-title" }, "They write most"), head, list.node);
  return { node, show };
}

/** Where in the glossary the chosen unit is most active. */
function placeList() {
  const title = element("p", { class: "op-title" });
  const lines = Array.from({ length: FEEDFORWARD_PLACES }, () => element("li", { class: "op-ff-place" }));
  const node = element("div", {}, title, element("p", { class: "op-detail" }, "in the glossary, the best match first"),
    element("ol", { class: "op-ff-places" }, ...lines));
  const show = ({ layer, unit, places, openings }) => {
    title.textContent = `Where unit ${unit} is most active`;
    lines.forEach((line, i) => {
      const T = openings[0].length;
      const at = 3 * (FEEDFORWARD_PLACES * unit + i);
      const place = parseInt(places[layer].slice(at, at + 3), DIGIT_BASE);
      const [tokens, t] = [openings[Math.floor(place / T)], place % T];
      line.replaceChildren(
        element("span", {}, tokens.slice(Math.max(0, t - FEEDFORWARD_BEFORE), t).join("")),
        element("mark", {}, tokens[t]), element("span", {}, tokens.slice(t + 1, t + 4).join("")));
    });
  };
  return { node, show };
}

/** What comes next, without the chosen unit or its whole block. */
function silencer(change) {
  const silence = choice({ label: "Silence", onInput: (value) => change({ silence: value }),
    options: ["nothing", "unit", "block"].map((value) => ({ value, name: value })) });
  const rows = Array.from({ length: FEEDFORWARD_NEXT }, () => {
    const [now, later] = [element("td", {}), element("td", {})];
    return { now, later, node: element("tr", {}, now, later) };
  });
  const head = element("th", { scope: "col" });
  const node = element("div", {}, element("p", { class: "op-title" }, "What comes next, if we silence …"),
    silence.node, element("table", { class: "op-table op-ff-next", "aria-live": "polite" },
      element("caption", {}, "The likeliest next tokens with their probabilities"),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "whole model"), head)),
      element("tbody", {}, ...rows.map((each) => each.node))));
  const show = ({ data: { next }, silenced, silence: which, unit, layer }) => {
    silence.show(which);
    head.textContent = { nothing: "nothing silent", unit: `without unit ${unit}`, block: `without FFN ${layer}` }[which];
    const said = (pair) => (pair ? [tokenElement(pair[0]), ` ${fixed(pair[1], 2)}`] : ["…"]);
    rows.forEach(({ now, later }, i) => {
      now.replaceChildren(...said(next[i]));
      later.replaceChildren(...(which === "nothing" ? [] : said(silenced?.[i])));
    });
  };
  return { node, show };
}

/** Below the units: the chosen one, its curve, or the stream to which all of them write. */
function views(change, nodes) {
  const tabs = choice({ label: "Show", onInput: (view) => change({ view }),
    options: Object.entries(VIEWS).map(([value, name]) => ({ value, name })) });
  tabs.node.classList.add("op-ff-views");
  const show = ({ view }) => {
    tabs.show(view);
    for (const [name, node] of Object.entries(nodes)) node.hidden = name !== view;
  };
  return { node: tabs.node, show };
}

/** Sets traits. On a page without a kernel the model in the page silences a unit that is new. */
function changer(widget) {
  return async (settings) => {
    setTraits(widget, settings);
    const [data, layer, unit] = ["data", "layer", "unit"].map((name) => widget.get(name));
    const key = `${layer}:${unit}`;
    if (!widget.page || widget.get("silence") !== "unit" || key in widget.get("without")) return;
    try {
      const lm = await languageModel(widget);
      const found = withoutUnit(lm, widget.get("prompt"), layer, unit);
      if (widget.get("data") === data) setTraits(widget, { without: { ...widget.get("without"), [key]: found } });
    } catch (error) {
      widget.set("notice", error.message);
    }
  };
}

function build(widget, state) {
  const change = changer(widget);
  const [list, curve, places, silence] = [unitList(state.lengths[0].length, change),
    curvePanel(state, change), placeList(), silencer(change)];
  const stream = streamTable(state.data);
  const unit = element("div", { class: "op-ff-two" }, list.node,
    element("div", {}, places.node, silence.node));
  const nodes = { unit, curve: curve.node, stream: stream.node };
  const top = [tokenLine(state.data, change),
    blockLine(state, () => widget.get("position"), change), allUnits(change),
    views(change, nodes)];
  const parts = [...top, list, curve, places, silence, stream];
  const show = (measured) => parts.forEach((part) => part.show(measured));
  return { nodes: [...top.map(({ node }) => node), ...Object.values(nodes)], show };
}

export default {
  compute,
  render: ({ model: widget, el }) => renderPerPrompt({ widget, el, label: "Feed-forward explorer",
    traits: STATE, build, measure }),
};
