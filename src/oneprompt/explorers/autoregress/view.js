// The generation explorer: see AutoregressExplorer in explorer.py for the state.

import { steps, slider, choice, passButtons } from "../kit/controls.js";
import { element, shape, picture, tokenElement } from "../kit/element.js";
import { percent, integer, number } from "../kit/numbers.js";
import { renderPerPrompt } from "../kit/prompt.js";
import { valuesOf, setTraits } from "../kit/traits.js";
import { AUTOREGRESS_MAX_NEW } from "../shared.js";
import { compute } from "./state.js";

const STATE = ["max_new_tokens", "use_cache", "step", "costs"];
const WAYS = [
  { value: false, title: "No cache", meaning: "computes the whole text" },
  { value: true, title: "KV cache", meaning: "computes what is new" },
];
const ENDS = {
  "": () => "It is appended; the next pass follows.",
  stop: () => "EOS ends the text: stop reason “stop”.",
  length: (n) => `${n} of ${n} new ids: stop reason “length”.`,
  context: () => "The context is full: stop reason “context”.",
};

/** What the passes so far cost: each computes T positions and looks at S. */
function workOf(passes, cached, costs) {
  const sum = (amount) => passes.reduce((total, pass) => total + amount(pass), 0);
  return {
    positions: sum(({ T }) => T),
    multiplyAdds: sum(({ T, S }) => T * (costs.position + S * costs.pair) + costs.logits),
    weights: passes.length * costs.weights,
    stored: passes.length * costs.stored,
    cache: cached ? passes.at(-1).S * costs.kept : 0,
  };
}

/** The last pass: the text may end before it has that many ids. */
const lastPass = ({ data, max_new_tokens: most }) => Math.min(most, data.chances.length);

/** Everything that is shown, computed from the state alone. Pairs are [no cache, cache]. */
function measure(state) {
  const { data, costs, step, max_new_tokens: most, use_cache: cached } = state;
  const { prompt: P, chances, stop_reason: stop } = data;
  const last = lastPass(state);
  const passes = WAYS.map(({ value }) => Array.from({ length: step },
    (_, n) => ({ T: value && n > 0 ? 1 : P + n, S: P + n })));
  const isTextsEnd = last < most || (last === chances.length && stop === "stop");
  const end = step < last ? "" : isTextsEnd ? stop : "length";
  const work = passes.map((each, i) => workOf(each, WAYS[i].value, costs));
  return { ...state, ...data, last, passes, work, end, pass: passes[Number(cached)].at(-1) };
}

/** The text so far. Tokens of later passes are invisible but keep their place: nothing moves. */
function textSoFar(tokens) {
  const items = tokens.map((token) => element("li", {}, tokenElement(token)));
  const node = element("ol", { class: "op-text-so-far", "aria-label": "The text so far" }, ...items);
  const show = ({ pass: { T, S } }) => items.forEach((item, i) => {
    item.className = i > S ? "op-away" : i === S ? "op-new" : i < S - T ? "op-reused" : "op-computed";
  });
  return { node, show };
}

function steppers({ chances }, change) {
  const passes = slider({ label: "Pass", stops: steps(1, chances.length, 1),
    describe: String, onInput: (step) => change({ step }) });
  const most = slider({ label: "Most new ids", stops: steps(1, AUTOREGRESS_MAX_NEW, 1),
    describe: String, onInput: (value) => change({ max_new_tokens: value }) });
  const buttons = passButtons((step) => change({ step }));
  const node = element("div", {}, buttons.node,
    element("div", { class: "op-sliders" }, passes.node, most.node));
  const [input, value] = ["input", ".op-value"].map((name) => passes.node.querySelector(name));
  const show = (measured) => {
    const { step, last } = measured;
    input.max = last - 1; // fewer ids may be wanted than were computed
    passes.show(step);
    most.show(measured.max_new_tokens);
    value.textContent = `${step} of ${last}`;
    input.setAttribute("aria-valuetext", value.textContent);
    buttons.show(step, last);
  };
  return { node, show };
}

/** What the pass does, what it gives, and why the text ends or goes on. */
function sentences() {
  const [does, gives, then] = [1, 2, 3].map(() => element("span", {}));
  const node = element("p", { class: "op-status", role: "status" }, does, " ", gives, " ", then);
  const show = ({ step, pass: { T, S }, tokens, chances, end }) => {
    const reused = T < S ? `, reuses ${S - T}` : "";
    does.textContent = `Pass ${step} computes ${T} position${T === 1 ? "" : "s"}${reused}.`;
    gives.replaceChildren("Out comes ", tokenElement(tokens[S]), ` (${percent(chances[step - 1])}).`);
    then.textContent = ENDS[end](step);
  };
  return { node, show };
}

/** Small squares in one path, so that two thousand of them cost nothing. */
const squares = (places, size) => places.map(([x, y]) =>
  `M${(x + (1 - size) / 2).toFixed(2)} ${(y + (1 - size) / 2).toFixed(2)}h${size}v${size}h-${size}z`).join("");

/** A row per pass so far, a column per position: computed, reused, and what comes out now. */
function staircase({ tokens, chances, prompt: P }) {
  const [all, computed, reused] = ["op-all", "op-computed", "op-reused"].map(
    (name) => shape("path", { class: name }));
  const row = shape("rect", { class: "op-row", x: 0, height: 1 });
  const out = shape("rect", { class: "op-out", width: 0.72, height: 0.72 });
  const [width, height] = [tokens.length, chances.length];
  const node = picture({ class: "op-staircase", viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "xMinYMin" }, all, row, reused, computed, out);
  node.style.aspectRatio = `${width} / ${height}`;
  const show = (passes, last) => {
    const texts = Array.from({ length: last }, (_, y) => `H${P + y}V${y + 1}`);
    all.setAttribute("d", `M0 0${texts.join("")}H0z`); // of all passes, later ones too
    const columns = passes.map(({ S }, y) => Array.from({ length: S }, (_, x) => [x, y]));
    const isNew = ([x, y]) => x >= passes[y].S - passes[y].T;
    computed.setAttribute("d", squares(columns.flat().filter(isNew), 0.84));
    reused.setAttribute("d", squares(columns.flat().filter((at) => !isNew(at)), 0.24));
    const [S, y] = [passes.at(-1).S, passes.length - 1];
    for (const [name, value] of [["y", y], ["width", S + 1]]) row.setAttribute(name, value);
    for (const [name, value] of [["x", S + 0.14], ["y", y + 0.14]]) out.setAttribute(name, value);
  };
  return { node, show };
}

/** Both methods as pictures; the text shows the chosen one. */
function ways(data, change) {
  const pictures = WAYS.map(() => staircase(data));
  const cards = choice({ label: "Way",
    options: WAYS.map(({ value, title, meaning }, i) => ({
      value, name: `${title}: ${meaning}`,
      content: element("span", { class: "op-way" }, element("span", { class: "op-title" }, title),
        element("span", { class: "op-detail" }, meaning), pictures[i].node) })),
    onInput: (value) => change({ use_cache: value }) });
  cards.node.classList.add("op-ways");
  const show = ({ use_cache, passes, last }) => {
    cards.show(use_cache);
    pictures.forEach((each, i) => each.show(passes[i], last));
  };
  return { node: cards.node, show };
}

function legend() {
  const entries = [["computed", "computed"], ["reused", "reused from the cache"],
    ["new", "comes out"]];
  return element("p", { class: "op-legend" },
    element("span", {}, "A row per pass, a column per position."),
    ...entries.map(([kind, text]) => element("span", {},
      element("span", { class: `op-swatch op-swatch-${kind}`, "aria-hidden": "true" }), text)));
}

const COUNTS = [
  ["Positions computed", "positions", integer],
  ["Multiply-adds, million", "multiplyAdds", (n) => number(n / 1e6)],
  ["Weights read, MB (fp32)", "weights", (bytes) => number(bytes / 1e6)],
  ["The same in int8, MB", "stored", (bytes) => number(bytes / 1e6)],
  ["Cache filled, kB (fp32)", "cache", (bytes) => number(bytes / 1e3)],
];

/** The work of all passes so far, both methods side by side. */
function counts() {
  const head = ["So far", ...WAYS.map(({ title }) => title), "Ratio"].map(
    (name) => element("th", { scope: "col" }, name));
  const rows = COUNTS.map(([name]) => {
    const all = head.slice(1).map(() => element("td", {}));
    return { node: element("tr", {}, element("th", { scope: "row" }, name), ...all), cells: all };
  });
  const node = element("table", { class: "op-table" },
    element("caption", {}, "The work of all passes so far, without and with a KV cache"),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows.map((each) => each.node)));
  const show = ({ work, use_cache: cached }) => {
    COUNTS.forEach(([, name, describe], i) => {
      const values = work.map((each) => each[name]);
      const ratio = name === "cache" ? "–" : `${number(values[0] / values[1])} ×`;
      [...values.map(describe), ratio].forEach((text, j) => { rows[i].cells[j].textContent = text; });
    });
    for (const row of [head.slice(1), ...rows.map((each) => each.cells)]) {
      WAYS.forEach(({ value }, i) => row[i].classList.toggle("op-chosen", value === cached));
    }
  };
  return { node, show };
}

function build(widget, { data }) {
  const change = (settings) => { // with fewer ids wanted, the pass may be gone
    const state = { ...valuesOf(widget, ["step", "max_new_tokens"]), ...settings };
    setTraits(widget, { ...settings, step: Math.min(state.step, lastPass({ ...state, data })) });
  };
  const parts = [steppers(data, change), textSoFar(data.tokens), sentences(), ways(data, change), counts()];
  const [controls, text, does, pictures, table] = parts.map((part) => part.node);
  return { nodes: [controls, text, does, pictures, legend(), table],
    show: (measured) => parts.forEach((part) => part.show(measured)) };
}

export default {
  compute,
  render: ({ model: widget, el }) => renderPerPrompt({ widget, el, label: "Generation explorer",
    kind: "op-autoregress", traits: STATE, build, measure }),
};
