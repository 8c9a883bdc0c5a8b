// The sampling explorer: see SamplingExplorer in explorer.py for the state.

import { ranking, distribution, entropyBits, uniform, drawToken } from "../../js/sample.js";
import { bar, facts } from "../kit/charts.js";
import { steps, slider, button } from "../kit/controls.js";
import { element, tokenElement } from "../kit/element.js";
import { percent, integer } from "../kit/numbers.js";
import { promptLine } from "../kit/prompt.js";
import { watch, valuesOf, setTraits } from "../kit/traits.js";
import { SAMPLE_ROWS } from "../shared.js";
import { engineControl, keptByEngines } from "./engines.js";
import { cumulativeLine } from "./line.js";
import { compute } from "./state.js";

const MAX_DRAWS = 10_000;
const NO_FILTER = { top_k: 0, top_p: 1, min_p: 0 };
const NEUTRAL = { temperature: 1, ...NO_FILTER, repetition_penalty: 1 };
const STEP_NAMES = {
  repetition_penalty: "penalty", temperature: "temperature",
  top_k: "top-k", top_p: "top-p", min_p: "min-p", greedy: "greedy",
};
const SLIDERS = {
  temperature: {
    label: "Temperature",
    stops: steps(0, 2, 0.05),
    describe: (t) => (t === 0 ? "0, greedy" : t.toFixed(2)),
  },
  top_k: {
    label: "Top-k",
    // 0 turns top-k off, so it is at the end where nothing is cut.
    stops: [...steps(1, 20, 1), 25, 30, 40, 50, 75, 100, 200, 500, 1000, 0],
    describe: (k) => (k === 0 ? "off" : integer(k)),
  },
  top_p: {
    label: "Top-p",
    stops: steps(0.01, 1, 0.01),
    describe: (p) => (p === 1 ? "off" : p.toFixed(2)),
  },
  min_p: {
    label: "Min-p",
    stops: steps(0, 0.5, 0.01),
    describe: (p) => (p === 0 ? "off" : p.toFixed(2)),
  },
  repetition_penalty: {
    label: "Repetition penalty",
    stops: steps(1, 2, 0.05),
    describe: (penalty) => (penalty === 1 ? "off" : penalty.toFixed(2)),
  },
};
const STATE = ["prompt", "tokens", "data", "draws", "seed", "order", ...Object.keys(SLIDERS)];

const stateOf = (widget) => valuesOf(widget, STATE);

/** Everything that is shown, computed from the state alone. */
function measure(state) {
  const { logits, history } = state.data;
  const ranked = ranking(logits);
  const before = distribution(logits, { temperature: 1, order: [] }).probabilities;
  const unfiltered = distribution(logits, { ...state, ...NO_FILTER }, history).probabilities;
  const { probabilities: after, cutBy } = distribution(logits, state, history);
  const counts = new Array(after.length).fill(0);
  for (const id of state.draws) counts[id] += 1;
  const isCut = (id) => cutBy[id] !== null;
  const total = (values, ids) => ids.reduce((sum, id) => sum + values[id], 0);
  const drawn = state.draws.at(-1);
  const u = uniform(state.seed, state.draws.length - 1); // of the last draw
  return { ranked, before, unfiltered, after, cutBy, counts, isCut, total, drawn, u,
    draws: state.draws.length, kept: keptByEngines(state) };
}

function statistics() {
  const { node, show: fill } = facts(["Entropy", "Tokens kept", "Cut away", "Cut away"]);
  node.classList.add("op-four");
  const show = ({ ranked, before, unfiltered, after, isCut, total }) => {
    const cut = ranked.filter(isCut);
    fill([`${entropyBits(after).toFixed(2)} bits`, `model ${entropyBits(before).toFixed(2)}`],
      [integer(ranked.length - cut.length), `of ${integer(ranked.length)}`],
      [percent(total(before, cut)), "of the model’s own"],
      [percent(total(unfiltered, cut)), "after temperature"]);
  };
  return { node, show };
}

/** One line of the table: a token, or all the tokens below the first SAMPLE_ROWS together. */
function row() {
  const name = element("th", { scope: "row" });
  const shares = bar();
  const cells = ["bar", "before", "after", "drawn"].map(
    (column) => element("td", { class: `op-${column}-cell` }));
  const [track, before, after, drawn] = cells;
  track.append(shares.node);
  const node = element("tr", {}, name, ...cells);
  const show = (label, ids, measured) => {
    const cut = ids.every(measured.isCut);
    const none = cut || measured.draws === 0;
    const count = measured.total(measured.counts, ids);
    const share = {
      before: measured.total(measured.before, ids),
      after: measured.total(measured.after, ids),
      mark: none ? null : count / measured.draws,
    };
    shares.show(share);
    node.classList.toggle("op-cut", cut);
    name.replaceChildren(label);
    before.textContent = percent(share.before);
    after.textContent = cut ? STEP_NAMES[measured.cutBy[ids[0]]] : percent(share.after);
    const expected = Math.round(measured.draws * share.after);
    drawn.textContent = none ? "–" : `${count} / ${expected}`;
  };
  return { node, show };
}

function table(vocabulary) {
  const first = Math.min(SAMPLE_ROWS, vocabulary);
  const rows = Array.from({ length: first + (vocabulary > first ? 1 : 0) }, row);
  const heads = { token: "Token", bar: "", before: "Model", after: "Now", drawn: "Drawn / expected" };
  const head = element("tr", {}, ...Object.entries(heads).map(
    ([column, text]) => text
      ? element("th", { scope: "col", class: `op-${column}-cell` }, text)
      : element("td", { class: `op-${column}-cell` })));
  const node = element("table", { class: "op-table" },
    element("caption", {}, `The ${first} most likely next tokens`),
    element("thead", {}, head), element("tbody", {}, ...rows.map((each) => each.node)));
  const show = (tokens, measured) => {
    const rest = measured.ranked.slice(first);
    rows.forEach((each, i) => {
      if (i === first) return each.show(`${integer(rest.length)} more`, rest, measured);
      const id = measured.ranked[i];
      return each.show(tokenElement(tokens[id]), [id], measured);
    });
  };
  return { node, show };
}

/** The five steps in their order; pressing one moves it a place forward, the first one to the end. */
function orderControl(onChange) {
  const list = element("ol", { class: "op-order", "aria-label": "Order of the steps" });
  let moved = null; // the step whose button has the focus, also in the list drawn next
  const move = (order, i) => {
    moved = order[i];
    const rest = order.toSpliced(i, 1);
    onChange(i === 0 ? [...rest, moved] : rest.toSpliced(i - 1, 0, moved));
  };
  const show = (order) => {
    if (list.dataset.order === order.join()) return; // so that the focus stays
    list.dataset.order = order.join();
    list.replaceChildren(...order.map((name, i) => {
      const step = button(STEP_NAMES[name], () => move(order, i));
      const where = i === 0 ? "to the end" : "earlier";
      step.setAttribute("aria-label", `${i + 1}. ${STEP_NAMES[name]}: move ${where}`);
      return element("li", {}, step);
    }));
    list.children[order.indexOf(moved)]?.firstChild.focus();
    moved = null;
  };
  return { node: element("div", { class: "op-order-row" }, "Order", list), show };
}

function draw(widget, count) {
  const state = stateOf(widget);
  const { after } = measure(state);
  const draws = [...state.draws];
  const end = Math.min(draws.length + count, MAX_DRAWS);
  while (draws.length < end) draws.push(drawToken(after, uniform(state.seed, draws.length)));
  setTraits(widget, { draws });
}

/** New settings: what was drawn before came from another distribution. */
const change = (widget, settings) => setTraits(widget, { ...settings, draws: [] });

function status(state, { u }) {
  const count = state.draws.length;
  if (count === 0) return ["Nothing drawn yet."];
  if (count === MAX_DRAWS) return [`${integer(count)} draws are the most: Reset starts again.`];
  const token = tokenElement(state.tokens[state.draws.at(-1)]);
  return [`Draw ${integer(count)} of seed ${state.seed}: the random number ${u.toFixed(3)} fell on `, token];
}

function legend() {
  const entries = [["before", "model, temperature 1"], ["after", "with the settings"],
    ["mark", "share drawn"]];
  const swatches = entries.map(([kind, text]) => element("span", {},
    element("span", { class: `op-swatch op-bar-${kind}`, "aria-hidden": "true" }), text));
  const space = element("span", {}, tokenElement(" "), " a space: part of the token");
  return element("p", { class: "op-legend" }, ...swatches, space);
}

export default {
  compute,
  render({ model: widget, el }) {
    const next = element("span", { class: "op-next" });
    const prompt = element("span", {});
    const sliders = Object.entries(SLIDERS).map(([name, options]) => [name,
      slider({ ...options, onInput: (value) => change(widget, { [name]: value }) })]);
    const ask = promptLine(widget);
    const order = orderControl((names) => change(widget, { order: names }));
    const engines = engineControl((names) => change(widget, { order: names }),
      (settings) => change(widget, settings));
    const figures = statistics();
    const line = cumulativeLine();
    const bars = table(widget.get("tokens").length);
    const message = element("p", { class: "op-status", role: "status" });
    const buttons = element("div", { class: "op-buttons" },
      button("Draw one", () => draw(widget, 1)),
      button("Draw 1,000", () => draw(widget, 1000)),
      button("Reset", () => change(widget, NEUTRAL)));

    const redraw = () => {
      const state = stateOf(widget);
      const measured = measure(state);
      const { drawn, u } = measured;
      prompt.textContent = state.prompt;
      next.replaceChildren(drawn === undefined ? "?" : tokenElement(state.tokens[drawn]));
      order.show(state.order);
      engines.show(state.order, measured.kept);
      line.show(state.tokens, measured.after, drawn, u);
      for (const [name, control] of sliders) control.show(state[name]);
      figures.show(measured);
      bars.show(state.tokens, measured);
      message.replaceChildren(...status(state, measured));
    };
    redraw();
    el.append(element("section", { class: "op-explorer", "aria-label": "Sampling explorer" },
      ask.node,
      element("p", { class: "op-prompt" }, prompt, next),
      element("div", { class: "op-sliders" }, ...sliders.map(([, control]) => control.node)),
      engines.node, order.node, figures.node, line.node, bars.node,
      legend(), buttons, message));
    const unwatch = watch(widget, STATE, redraw);
    return () => [ask.end, unwatch].forEach((end) => end());
  },
};
