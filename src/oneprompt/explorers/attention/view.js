// The attention explorer: see AttentionExplorer in explorer.py for the state.

import { stagesOf, isVisible, mix, sharedHead } from "../../js/attention.js";
import { cells } from "../kit/charts.js";
import { steps, slider, choice } from "../kit/controls.js";
import { element, tokenText, tokenElement } from "../kit/element.js";
import { number, fixed } from "../kit/numbers.js";
import { renderPerPrompt } from "../kit/prompt.js";
import { setTraits } from "../kit/traits.js";
import { sharing } from "./sharing.js";
import { compute } from "./state.js";

const STATE = ["layer", "head", "query", "stage", "window", "scaled", "causal", "silence",
  "groups", "names"];
const NUMBERS_UP_TO = 8; // tokens: in a larger map the cells are too small for numbers
const FIRST_SHOWN = 6;
const STAGES = {
  dots: ["q · k", () => "Dot products: every query (row) with every key (column)."],
  scores: ["÷ √d", ({ width, scaled }) => (scaled
    ? `Scores: the dot products divided by √${width}.`
    : `Scores: here the dot products as they are, not divided by √${width}.`)],
  masked: ["masked", ({ window, causal }) => (window === 0
    ? `Masked scores: the keys after a query are ${causal ? "hidden" : "not hidden"}.`
    : `Masked scores: a query sees ${window === 1 ? "itself alone" : `${window} positions at most`}.`)],
  weights: ["weights", () => "Attention weights: the softmax of each row, which adds up to 1."],
};

const lengthOf = (vector) => Math.hypot(...vector);
const times = (vector, factor) => vector.map((x) => factor * x);

/** Everything shown about the chosen head. */
function measure(state) {
  const { tokens, dots, values: all } = state.data;
  const heads = dots[0].length;
  const values = all[state.layer][sharedHead(state.head, heads, all[0].length)];
  const width = values[0].length;
  const rows = dots[state.layer][state.head].map((row, t) =>
    stagesOf(row, t, width, state.window, state));
  const mixed = mix(rows[state.query].weights, values);
  return { ...state, tokens, heads, values, width, rows, mixed };
}

/** A weight as text; only an exact zero reads "0". */
function weightText(weight, decimals = 2) {
  const least = 10 ** -decimals;
  if (weight === 0) return "0";
  return weight < least / 2 ? `<${least.toFixed(decimals).slice(1)}` : weight.toFixed(decimals);
}

const cellText = (value, stage) => {
  if (value === -Infinity) return "−∞";
  if (stage === "weights") return weightText(value);
  return Math.abs(value) < 99.95 ? fixed(value, 1) : fixed(value, 0);
};

/** The prompt, to choose the query from; under each token the weight that the query gives it. */
function queryLine(tokens, change) {
  const shares = tokens.map(() => element("span", { class: "op-share" }));
  const options = tokens.map((token, i) => ({
    value: i,
    name: `position ${i}: ${tokenText(token)}`,
    content: element("span", {}, tokenElement(token), shares[i]),
  }));
  const chips = choice({ label: "Query", options, onInput: (query) => change({ query }) });
  chips.node.classList.add("op-attention-prompt");
  const show = ({ query, rows, window, causal }) => {
    chips.show(query);
    rows[query].weights.forEach((weight, key) => {
      const hidden = !isVisible(query, key, window, causal);
      chips.buttons[key].classList.toggle("op-hidden", hidden);
      chips.buttons[key].style.setProperty("--op-weight", weight.toFixed(4));
      shares[key].textContent = hidden ? "–" : weightText(weight);
    });
  };
  const node = element("div", {}, chips.node,
    element("p", { class: "op-detail" }, "Framed: the token that asks. Below each: the weight it gets, – where hidden."));
  return { node, show };
}

/** The weights of all heads as small maps, a row per layer. */
function overview({ dots, values }, change) {
  const heads = dots[0].length;
  const maps = dots.flatMap((layer, l) => layer.map((_, h) => ({ l, h, map: cells() })));
  const grid = choice({
    label: "Head", columns: heads,
    options: maps.map(({ l, h, map }) => ({
      value: l * heads + h, name: `layer ${l}, head ${h}`, content: map.node })),
    onInput: (n) => change({ layer: Math.floor(n / heads), head: n % heads }),
  });
  const numbers = (count) => Array.from({ length: count }, (_, i) => element("span", {}, `${i}`));
  const node = element("div", { class: "op-overview" },
    element("p", { class: "op-title" }, "All heads"),
    element("p", { class: "op-detail" }, "a row per layer, a column per head"),
    element("div", { class: "op-overview-grid" },
      element("div", { class: "op-overview-heads", "aria-hidden": "true" }, ...numbers(heads)),
      element("div", { class: "op-overview-layers", "aria-hidden": "true" }, ...numbers(dots.length)),
      grid.node));
  node.style.setProperty("--op-heads", heads);
  let drawn = null;
  const show = (state) => {
    const { layer, head, window, scaled, causal } = state;
    grid.show(layer * heads + head);
    if (drawn === `${window} ${scaled} ${causal}`) return;
    drawn = `${window} ${scaled} ${causal}`;
    const width = values[0][0][0].length;
    for (const { l, h, map } of maps) {
      map.show(dots[l][h].map((row, t) => stagesOf(row, t, width, window, state).weights), 1);
    }
  };
  return { node, show };
}

/** The chosen head as a table, query by key; a click on a row chooses its query. */
function largeMap(tokens, change) {
  const stages = choice({ label: "Stage",
    options: Object.entries(STAGES).map(([value, [name]]) => ({ value, name })),
    onInput: (stage) => change({ stage }) });
  const title = element("p", { class: "op-title" });
  const named = element("p", { class: "op-detail" });
  const meaning = element("p", { class: "op-detail op-meaning" });
  const cell = () => element("td", {});
  const rows = tokens.map((token, t) => {
    const all = tokens.map(cell);
    const node = element("tr", {}, element("th", { scope: "row" }, tokenElement(token)), ...all);
    node.addEventListener("click", () => change({ query: t }));
    return { node, cells: all };
  });
  const caption = element("caption", {});
  const head = tokens.map((token) => element("th", { scope: "col" }, tokenElement(token)));
  const table = element("table", { class: "op-map" }, caption,
    element("thead", {}, element("tr", {}, element("td", {}, "query ↓ key →"), ...head)),
    element("tbody", {}, ...rows.map(({ node }) => node)));
  table.style.setProperty("--op-tokens", tokens.length);
  table.classList.toggle("op-map-small", tokens.length > NUMBERS_UP_TO);
  const show = (measured) => {
    const { stage, layer, head: h, query, window, causal, names } = measured;
    stages.show(stage);
    title.textContent = `Layer ${layer}, head ${h}`;
    named.textContent = names[layer][h] ? `on repeated text: ${names[layer][h]}` : "no name earned";
    meaning.textContent = caption.textContent = STAGES[stage][1](measured);
    const seen = measured.rows.flatMap((row) => row[stage]).filter(Number.isFinite);
    const largest = stage === "weights" ? 1 : Math.max(...seen.map(Math.abs));
    rows.forEach(({ node, cells: all }, t) => {
      node.classList.toggle("op-chosen", t === query);
      measured.rows[t][stage].forEach((value, key) => {
        const hidden = (stage === "masked" || stage === "weights") && !isVisible(t, key, window, causal);
        all[key].className = hidden ? "op-hidden" : value < 0 ? "op-negative" : "op-positive";
        all[key].style.setProperty("--op-weight", hidden ? 0 : (Math.abs(value) / largest).toFixed(3));
        all[key].textContent = cellText(value, stage);
      });
    });
  };
  return { node: element("div", {}, title, named, meaning, stages.node, table), show };
}

/** Every stage of the chosen query as numbers, and the values that its weights mix. */
function stagesOfQuery(tokens) {
  const title = element("p", { class: "op-title" });
  const columns = ["q · k", "÷ √d", "masked", "weight", "weight × value", "length"];
  const line = (name) => {
    const strip = cells("op-value-strip");
    const tds = columns.map((_, i) => element("td", { class: i === 5 ? "op-length-cell" : "" }));
    tds[4].append(strip.node);
    const node = element("tr", {}, element("th", { scope: "row" }, name), ...tds);
    return { node, tds, strip };
  };
  const lines = tokens.map((token) => line(tokenElement(token)));
  const sum = line("sum");
  const vector = element("p", { class: "op-status", "aria-live": "polite" });
  const node = element("div", { class: "op-query" }, title,
    element("table", { class: "op-table" },
      element("caption", {}, "Every stage of attention for the chosen query, a row per key"),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "key"),
        ...columns.map((name, i) => element("th", { scope: "col", class: i === 5 ? "op-length-cell" : "" }, name)))),
      element("tbody", {}, ...lines.map((each) => each.node)),
      element("tfoot", {}, sum.node)),
    vector);
  const show = ({ tokens: texts, layer, head, query, rows, values, mixed, window, causal }) => {
    title.replaceChildren("Query ", tokenElement(texts[query]), `, layer ${layer}, head ${head}`);
    const { dots, scores, masked, weights } = rows[query];
    const largest = Math.max(...values.flat().map(Math.abs));
    lines.forEach(({ node: row, tds, strip }, key) => {
      row.classList.toggle("op-hidden", !isVisible(query, key, window, causal));
      const texts4 = [number(dots[key]), number(scores[key]),
        masked[key] === -Infinity ? "−∞" : number(masked[key]), weightText(weights[key], 3)];
      texts4.forEach((text, i) => { tds[i].textContent = text; });
      const part = times(values[key], weights[key]);
      strip.show([part], largest);
      tds[5].textContent = fixed(lengthOf(part), 2);
    });
    sum.tds[3].textContent = weights.reduce((a, b) => a + b, 0).toFixed(3);
    sum.strip.show([mixed], largest);
    sum.tds[5].textContent = fixed(lengthOf(mixed), 2);
    const first = mixed.slice(0, FIRST_SHOWN).map((x) => fixed(x, 2)).join("  ");
    vector.textContent = `The head takes home ${first} … (${mixed.length} numbers)`;
  };
  return { node, show };
}

/** What is switched off in the pictures: the division by √d, and the mask. */
function switches(change) {
  const onOff = (label, name, names) => choice({ label, onInput: (value) => change({ [name]: value }),
    options: [true, false].map((value, i) => ({ value, name: names[i] })) });
  const scale = onOff("Scale", "scaled", ["÷ √d", "undivided"]);
  const mask = onOff("Mask", "causal", ["masked", "unmasked"]);
  const node = element("div", { class: "op-switches" }, scale.node, mask.node);
  const show = ({ scaled, causal }) => {
    scale.show(scaled);
    mask.show(causal);
  };
  return { node, show };
}

/** The likeliest next tokens, of the whole model or without some heads. */
function nextTokens(heads, change) {
  const silence = choice({ label: "Silence", onInput: (value) => change({ silence: value }),
    options: [["nothing", "no head"], ["head", "this head"], ["layer", "its whole layer"]].map(
      ([value, name]) => ({ value, name })) });
  const text = element("p", { class: "op-status op-silenced", "aria-live": "polite" });
  const node = element("div", {}, element("p", { class: "op-title" }, "What comes next, if we silence …"),
    silence.node, text);
  const show = ({ data: { next, without }, layer, head, silence: which }) => {
    silence.show(which);
    const top = which === "nothing" ? next : without[layer][which === "head" ? head : heads];
    text.replaceChildren("Likeliest: ", ...top.flatMap(([token, p], i) =>
      [i > 0 ? ", " : "", tokenElement(token), ` ${weightText(p)}`]));
  };
  return { node, show };
}

function build(widget, { data }) {
  const change = (settings) => setTraits(widget, settings);
  const last = data.tokens.length;
  const windowed = slider({ label: "Window", stops: [...steps(1, last - 1, 1), 0],
    describe: (w) => (w === 0 || w >= last ? "off" : `${w}`), onInput: (value) => change({ window: value }) });
  windowed.show = ((show) => (state) => show(state.window >= last ? 0 : state.window))(windowed.show);
  const parts = [queryLine(data.tokens, change), overview(data, change), largeMap(data.tokens, change),
    stagesOfQuery(data.tokens), nextTokens(data.dots[0].length, change), switches(change), windowed,
    sharing(data.dots[0].length, change)];
  const [prompt, all, map, query, next, off, , groups] = parts.map((part) => part.node);
  const more = element("details", { class: "op-more" },
    element("summary", {}, "Switch parts off"), off, windowed.node,
    element("p", { class: "op-title" }, "Shared keys and values"), groups);
  const show = (measured) => parts.forEach((part) => part.show(measured));
  return { nodes: [prompt, element("div", { class: "op-two" }, all, map, more), query, next], show };
}

export default {
  compute,
  render: ({ model: widget, el }) => renderPerPrompt({ widget, el, label: "Attention explorer",
    traits: STATE, build, measure }),
};
