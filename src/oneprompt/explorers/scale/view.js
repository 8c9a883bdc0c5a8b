// The explorer of serving: see ScaleExplorer in explorer.py for the state.

import { memoryNeeded, passNeeds, passTimes } from "../../js/costs.js";
import { expectedTokens } from "../../js/speculate.js";
import { bar, facts } from "../kit/charts.js";
import { choice, slider, steps } from "../kit/controls.js";
import { element } from "../kit/element.js";
import { integer, number } from "../kit/numbers.js";
import { setTraits, valuesOf, watch } from "../kit/traits.js";
import { SCALE_BITS, SCALE_GAMMAS } from "../shared.js";
import { legend, roofline } from "./roofline.js";

const STATE = ["model", "gpu", "bits", "batch", "positions", "gamma", "alpha", "models", "gpus"];
const BATCHES = Array.from({ length: 13 }, (_, i) => 2 ** i);
const POSITIONS = [100, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000];
const SLIDERS = {
  batch: { label: "Batch, texts", stops: BATCHES, describe: integer },
  positions: { label: "Positions each", stops: POSITIONS, describe: integer },
  gamma: { label: "Gamma, drafted", stops: SCALE_GAMMAS, describe: (n) => n ? String(n) : "none" },
  alpha: { label: "Alpha, kept", stops: steps(0, 1, 0.05), describe: (a) => a.toFixed(2) },
};
const LIMITS = { weights: "Weights", caches: "Caches", arithmetic: "Arithmetic" };
const WAITS = { weights: "the weights", caches: "the caches", arithmetic: "the arithmetic units" };
const GB = 1e9;

/** 0.00448 -> "4.48 ms". */
function duration(seconds) {
  if (seconds >= 1) return `${number(seconds)} s`;
  return seconds >= 1e-3 ? `${number(1e3 * seconds)} ms` : `${number(1e6 * seconds)} µs`;
}

/** Everything that is shown, computed from the state alone. */
export function measure(state) {
  const { bits, batch, positions: S, gamma, alpha } = state;
  const counts = state.models.find(({ name }) => name === state.model);
  const gpu = state.gpus.find(({ name }) => name === state.gpu);
  const pass = (T) => {
    const load = { bits, batch, S, T };
    const needs = passNeeds(counts, load);
    const intensity = needs.flops / (needs.weights + needs.caches);
    return { ...passTimes(counts, gpu, load), flops: needs.flops, intensity };
  };
  const [plain, longer] = [pass(1), pass(gamma + 1)];
  const [v, expected] = [longer.seconds / plain.seconds, expectedTokens(alpha, gamma)];
  return { ...state, gpu, counts, plain, longer, v, expected,
    speedup: expected / v, memory: memoryNeeded(counts, { bits, batch, S }),
    ridge: gpu.peak / gpu.bandwidth };
}

/** A bar per limit: solid for the plain pass, an outline for the longer one. */
function limitTable() {
  const rows = Object.entries(LIMITS).map(([key, name]) => {
    const [share, time] = [bar(), element("td", { class: "op-after-cell" })];
    const node = element("tr", {}, element("th", { scope: "row" }, name),
      element("td", {}, share.node), time);
    return { key, share, time, node };
  });
  const node = element("table", { class: "op-table" },
    element("caption", {}, "How long each limit takes in a plain pass"),
    element("tbody", {}, ...rows.map((row) => row.node)));
  const show = ({ plain, longer }) => rows.forEach(({ key, share, time, node: row }) => {
    const most = Math.max(plain.seconds, longer.seconds);
    share.show({ before: longer[key] / most, after: plain[key] / most, mark: null });
    time.textContent = duration(plain[key]);
    row.className = plain.limit === key ? "op-binding" : "";
  });
  return { node, show };
}

function statistics() {
  const { node, show: fill } = facts(["Time between tokens", "All texts", "Memory", "v",
    "Speedup at best", "FLOPs per byte"]);
  const show = ({ plain, batch, memory, gpu, v, gamma, speedup, expected, ridge }) => fill(
    [duration(plain.seconds), `${number(1 / plain.seconds)}/s each`],
    [number(batch / plain.seconds), "tokens/s"],
    [`${number(memory / GB)} GB`, `of ${integer(gpu.memory / GB)}`],
    [v.toFixed(2), gamma ? `for ${gamma + 1} positions` : "for 1 position"],
    [`${speedup.toFixed(2)} ×`, `${expected.toFixed(2)} tokens a pass`],
    [number(plain.intensity), `roof bends at ${number(ridge)}`]);
  return { node, show };
}

/** What binds, and what stands against it, in words. */
function verdict({ plain, longer, gamma, memory, gpu, counts, positions, model }) {
  const verifying = gamma ? `, a verifying pass for ${WAITS[longer.limit]}` : "";
  const said = [`A plain pass waits for ${WAITS[plain.limit]}${verifying}.`];
  if (memory > gpu.memory) said.push("But all this does not fit into the memory.");
  if (positions > counts.context) {
    said.push(`But ${model} reads ${integer(counts.context)} positions at most.`);
  }
  return said.join(" ");
}

const NOTE = "The first two figures are of plain passes. v is the time of a verifying pass, in "
  + "plain passes. Speedup: the tokens that it gives each text, divided by v. At best, because the "
  + "draft is taken to cost nothing.";

function field(name, control) {
  return element("div", { class: "op-field" }, element("span", { class: "op-detail" }, name),
    control.node);
}

export default {
  render({ model: widget, el }) {
    const change = (trait) => (value) => setTraits(widget, { [trait]: value });
    const named = (values) => values.map((value) => ({ value, name: String(value) }));
    const names = (trait) => widget.get(trait).map(({ name }) => name);
    const choices = Object.entries({
      model: ["Model", names("models")],
      gpu: ["GPU", names("gpus")],
      bits: ["Bits per weight", SCALE_BITS],
    }).map(([trait, [label, values]]) => ({ trait, label,
      ...choice({ label, options: named(values), onInput: change(trait) }) }));
    const sliders = Object.entries(SLIDERS).map(([trait, options]) => ({ trait,
      ...slider({ ...options, onInput: change(trait) }) }));
    const [roof, limits, figures] = [roofline(), limitTable(), statistics()];
    const message = element("p", { class: "op-status", role: "status" });
    const section = element("section",
      { class: "op-explorer op-scale", "aria-label": "Scale explorer" },
      ...choices.map((each) => field(each.label, each)),
      element("div", { class: "op-sliders" }, ...sliders.map((each) => each.node)),
      element("div", { class: "op-pair" }, roof.node,
        element("div", {}, message, limits.node, legend())),
      figures.node, element("p", { class: "op-detail" }, NOTE));
    const redraw = () => {
      const state = valuesOf(widget, STATE);
      for (const control of [...choices, ...sliders]) control.show(state[control.trait]);
      const measured = measure(state);
      for (const part of [roof, limits, figures]) part.show(measured);
      message.textContent = verdict(measured);
      section.classList.toggle("op-undrafted", !state.gamma);
    };
    redraw();
    el.append(section);
    return watch(widget, STATE, redraw);
  },
};
