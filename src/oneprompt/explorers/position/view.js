// The position explorer: see PositionExplorer in explorer.py for the state.

import { angleAt, wavelength, sinusoidal, PAIRINGS, pairCoordinates, alibiShift } from "../../js/position.js";
import { facts, cells, axisEnds, lineChart } from "../kit/charts.js";
import { steps, slider, choice } from "../kit/controls.js";
import { element, tokenElement } from "../kit/element.js";
import { number, fixed } from "../kit/numbers.js";
import { promptLine } from "../kit/prompt.js";
import { watch, valuesOf, setTraits } from "../kit/traits.js";
import { compute } from "./state.js";
import { dial, pairsPicture, turnedPair } from "./turns.js";

const SCHEMES = [["learned", "learned"], ["sinusoidal", "sinusoidal"], ["rope", "RoPE"],
  ["alibi", "ALiBi"], ["none", "none"]];
const STATE = ["data", "scheme", "position", "distance", "head", "pair", "pairing", "learned", "own",
  "frequencies", "slopes"];
const COORDINATES_SHOWN = 6;

const keyOf = ({ scheme, pairing }) => (scheme === "rope" ? `rope ${pairing}` : scheme);

/** Everything that is shown, selected from the state. */
function measure(state) {
  const key = keyOf(state);
  const distance = Math.min(state.distance, state.position); // the text begins at position 0
  const { tokens, scores, queries, keys } = state.data;
  const rows = scores[key][state.head]; // one per query position, or one for all
  const row = (rows.length === 1 ? rows[0] : rows[state.position]).slice(0, state.position + 1);
  const plain = scores.none[state.head][0][0];
  const frequency = state.frequencies[state.pair];
  const every = Object.values(scores).flatMap((heads) => heads[state.head].flat());
  const arrows = { query: [queries[state.head], state.position],
    key: [keys[state.head], state.position - distance] };
  const pairs = state.frequencies.map((w, i) => turnedPair(arrows, i, w, state));
  return {
    ...state, tokens, pairs, key, distance, rows, row, plain, frequency,
    score: row[distance],
    ends: axisEnds(Math.min(...every), Math.max(...every), 2), // one scale for all schemes
    angle: angleAt(state.position, frequency),
    coordinates: pairCoordinates(state.pair, state.frequencies.length, state.pairing),
  };
}

/** Learned and sinusoidal: the table of vectors, and the row that is added at the position. */
function additivePanel(widget) {
  const learned = widget.get("learned");
  const sinusoids = sinusoidal(learned.length, learned[0].length);
  const table = cells("op-position-table");
  const strip = cells("op-position-strip");
  const frame = element("span", { class: "op-position-frame" });
  const title = element("p", {});
  const values = element("p", { class: "op-detail" });
  const node = element("div", {}, title, strip.node, values,
    element("div", { class: "op-position-plot", "aria-hidden": "true" }, table.node, frame),
    element("p", { class: "op-legend op-detail" },
      "a row per position, a column per coordinate; blue above 0, orange-red below"));
  let drawn = null;
  const show = (state) => {
    const rows = state.scheme === "sinusoidal" ? sinusoids : state.learned;
    const largest = state.scheme === "sinusoidal" ? 1 : 0.2;
    if (drawn !== rows) table.show(rows, largest);
    drawn = rows;
    const row = rows[state.position];
    strip.show([row], largest);
    title.textContent = `Added to the embedding at position ${state.position}:`;
    const first = row.slice(0, COORDINATES_SHOWN).map((x) => fixed(x, 2));
    values.textContent = `${first.join("  ")} … (${row.length} numbers)`;
    frame.style.insetBlockStart = `${(100 * state.position) / rows.length}%`;
    frame.style.blockSize = `${100 / rows.length}%`;
  };
  return { node, show };
}

function ropePanel(widget, change) {
  const circle = dial();
  const pairs = widget.get("frequencies").length;
  const pair = slider({ label: "Pair", stops: steps(0, pairs - 1, 1),
    describe: String, onInput: (value) => change({ pair: value }) });
  const pairing = choice({ label: "Pairing", options: PAIRINGS.map((name) => ({ value: name, name })),
    onInput: (value) => change({ pairing: value }) });
  const figures = facts(["Angle (rad)", "Full turn", "Coordinates", "Part of the score"]);
  const every = pairsPicture();
  const node = element("div", {},
    element("div", { class: "op-rope" }, circle.node, element("div", {}, pair.node, pairing.node)),
    figures.node, every.node,
    element("p", { class: "op-detail" }, "All pairs, the fastest first: the hand at the query's "
      + "position, and the pair's part of the score. The parts add up to it. Below: the "
      + `${2 * pairs} coordinates.`));
  const show = (state) => {
    const { angle, frequency, coordinates, pairs: all, pair: chosen } = state;
    circle.show(state);
    every.show(state);
    pair.show(state.pair);
    pairing.show(state.pairing);
    figures.show([number(angle), `${fixed(angle / (2 * Math.PI), 2)} turns`],
      [number(wavelength(frequency)), "positions"], [coordinates.join(" and "), ""],
      [fixed(all[chosen].part, 2), ""]);
  };
  return { node, show };
}

function alibiPanel(widget) {
  const last = widget.get("learned").length - 1;
  const chart = lineChart({ last, xLabel: "distance", className: "op-chart-shift" });
  const figures = facts(["Slope of the head", "Added to the score"]);
  const node = element("div", {}, element("p", {}, "Added to the score of every head, by distance:"),
    chart.node, figures.node);
  const show = ({ slopes, head, distance }) => {
    const shifts = (slope) => Array.from({ length: last + 1 }, (_, d) => alibiShift(slope, d));
    const lines = slopes.map((slope, i) => ({ values: shifts(slope), kind: i === head ? "now" : "other" }));
    lines.sort((a, b) => (a.kind === "now") - (b.kind === "now"));
    const shift = alibiShift(slopes[head], distance);
    chart.show(lines, axisEnds(Math.min(...shifts(Math.max(...slopes))), 0), [distance, shift]);
    figures.show([number(slopes[head]), ""], [number(shift), `at distance ${distance}`]);
  };
  return { node, show };
}

/** A panel for each scheme. The hidden ones are drawn too, so that the height stays the same. */
function schemePanels(widget, change) {
  const additive = additivePanel(widget);
  const panels = { learned: additive, sinusoidal: additive, rope: ropePanel(widget, change),
    alibi: alibiPanel(widget), none: nonePanel() };
  const all = [...new Set(Object.values(panels))];
  const node = element("details", {}, element("summary", {}, "How this scheme does it"),
    element("div", { class: "op-panels" }, ...all.map((panel) => panel.node)));
  const show = (measured) => {
    for (const panel of all) {
      panel.node.classList.toggle("op-away", panel !== panels[measured.scheme]);
      panel.show(measured);
    }
  };
  return { node, show };
}

function nonePanel() {
  const text = "Nothing is added, turned or shifted: the score is the same at every distance.";
  return { node: element("div", {}, element("p", {}, text)), show() {} };
}

function note({ key, own, scheme }) {
  if (key === own) return "This is how the model itself marks positions.";
  const other = "The model was trained otherwise, so these scores do not occur in it.";
  return {
    learned: `This table is random, not trained. ${other}`,
    sinusoidal: `The embeddings are first multiplied by √D, as in the original. ${other}`,
    rope: own.startsWith("rope") ? "The model was trained with the other pairing, so here its "
      + "queries and keys are turned in the wrong pairs." : other,
    alibi: other,
    none: other,
  }[scheme];
}

function scoreChart(widget) {
  const last = widget.get("learned").length - 1;
  const chart = lineChart({ last, xLabel: "distance from query back to key" });
  const figures = facts(["Score", "No position", "Difference"]);
  const title = element("p", { class: "op-title" });
  const lines = [["now", "query at the chosen position"], ["other", "at every other"],
    ["plain", "without positions"]].map(([kind, text]) => element("span", {},
    element("span", { class: `op-swatch op-swatch-${kind}`, "aria-hidden": "true" }), text));
  const node = element("div", {}, title, chart.node, element("p", { class: "op-legend" }, ...lines),
    figures.node);
  const show = ({ tokens, rows, row, plain, score, ends, distance, position, head }) => {
    title.replaceChildren("Score of the query ", tokenElement(tokens[0]), " with the key ",
      tokenElement(tokens[1]), `, head ${head}`);
    chart.show([...rows.map((values) => ({ values, kind: "other" })),
      { values: new Array(last + 1).fill(plain), kind: "plain" }, { values: row, kind: "now" }],
    ends, [distance, score]);
    figures.show([fixed(score, 2), `at ${position} and ${position - distance}`],
      [fixed(plain, 2), ""], [fixed(score - plain, 2), ""]);
  };
  return { node, show };
}

/** The sliders that all schemes share. */
function commonSliders(widget, change) {
  const last = widget.get("learned").length - 1;
  const ends = { position: ["Position of the query", last], distance: ["Distance", last],
    head: ["Head", widget.get("slopes").length - 1] };
  const sliders = Object.entries(ends).map(([name, [label, end]]) => [name, slider({
    label, stops: steps(0, end, 1), describe: String,
    onInput: (value) => change({ [name]: value }) })]);
  const node = element("div", { class: "op-sliders op-three" }, ...sliders.map(([, each]) => each.node));
  const show = (measured) => {
    for (const [name, each] of sliders) each.show(measured[name]);
  };
  return { node, show };
}

export default {
  compute,
  render({ model: widget, el }) {
    const ask = promptLine(widget);
    const change = (settings) => setTraits(widget, settings);
    const scheme = choice({ label: "Position scheme",
      options: SCHEMES.map(([value, name]) => ({ value, name })),
      onInput: (value) => change({ scheme: value }) });
    const remark = element("p", { class: "op-status op-remark" });
    const parts = [commonSliders(widget, change), scoreChart(widget), schemePanels(widget, change)];
    const [sliders, score, panels] = parts.map((part) => part.node);

    const redraw = () => {
      const measured = measure(valuesOf(widget, STATE));
      scheme.show(measured.scheme);
      remark.textContent = note(measured);
      for (const part of parts) part.show(measured);
    };
    redraw();
    el.append(element("section", { class: "op-explorer", "aria-label": "Position explorer" },
      ask.node, scheme.node, sliders, score, remark, panels));
    const unwatch = watch(widget, STATE, redraw);
    return () => [unwatch(), ask.end()];
  },
};
