// The speculation explorer: see SpeculationExplorer in explorer.py for the state.

import { speedup } from "../../js/speculate.js";
import { bar, facts } from "../kit/charts.js";
import { steps, slider, choice, passButtons } from "../kit/controls.js";
import { element, tokenText, tokenElement } from "../kit/element.js";
import { promptLine } from "../kit/prompt.js";
import { watch, valuesOf, setTraits } from "../kit/traits.js";
import { SPECULATE_CANDIDATES, SPECULATE_GAMMAS, SPECULATE_SEEDS } from "../shared.js";
import { costCurve } from "./curve.js";
import { sum, compute } from "./state.js";

const TEXTS = ["Greedy", ...SPECULATE_SEEDS.map((seed) => `Seed ${seed}`)];
const SLIDERS = {
  gamma: { label: "Gamma, tokens drafted", stops: SPECULATE_GAMMAS, describe: String },
  cost: {
    label: "c, cost of a draft pass", stops: steps(0, 1, 0.05), describe: (c) => c.toFixed(2),
  },
};
const STATE = ["prompt", "mode", "seed", "temperature", "gamma", "step", "cost", "data"];

const added = (blocks) => sum(blocks.map((b) => b.kept + (b.own === null ? 0 : 1)));

/** 0.4123 -> "0.41", 0.0004 -> "≈0", and "–" where there is no number. */
function share(probability) {
  if (probability === null || probability === undefined) return "–";
  return probability > 0 && probability < 0.005 ? "≈0" : probability.toFixed(2);
}

/** Everything that is shown, computed from the state alone. */
function measure(state) {
  const { data: { tokens, acceptance, expected, runs: texts } } = state;
  const { mode, seed, step, gamma, cost } = state;
  const chosen = mode === "sampled" ? seed : 0;
  const runs = texts[chosen];
  const run = runs[gamma - 1];
  const counted = runs.map((blocks) => added(blocks) / blocks.length);
  const curves = [expected[mode], counted].map(
    (perPass) => perPass.map((each, i) => speedup(each, SPECULATE_GAMMAS[i], cost)));
  const block = run[step - 1];
  const alpha = acceptance[mode];
  return { ...state, tokens, alpha, expected, chosen, run, counted, curves, block };
}

/** The new tokens as spans: kept drafts, the target's own, and those of later passes, invisible. */
function textSpans({ run, step, tokens }) {
  const span = (kind, hidden) => (place) =>
    element("span", { class: `op-${kind}${hidden ? " op-unseen" : ""}` }, tokens[place]);
  return run.flatMap((block, i) => [
    ...block.drafted.slice(0, block.kept).map(span("drafted", i >= step)),
    ...(block.own === null ? [] : [block.own]).map(span("own", i >= step)),
  ]);
}

function row() {
  const name = element("th", { scope: "row" });
  const shares = bar();
  const cells = ["bar", "before", "after", "verdict"].map(
    (column) => element("td", { class: `op-${column}-cell` }));
  const [track, ...texts] = cells;
  track.append(shares.node);
  const node = element("tr", {}, name, ...cells);
  /** `line` is null (an empty row) or {token, before, after, mark, texts, kind}. */
  const show = (line) => {
    node.className = line === null ? "op-unseen" : `op-row-${line.kind}`;
    const { token = "–", before = 0, after = 0, mark = null } = line ?? {};
    name.replaceChildren(token === "–" ? token : tokenElement(token));
    shares.show({ before, after, mark });
    texts.forEach((cell, i) => { cell.textContent = line === null ? "–" : line.texts[i]; });
  };
  return { node, show };
}

function table(caption, heads, rows) {
  const head = element("tr", {}, ...Object.entries(heads).map(([column, text]) => text
    ? element("th", { scope: "col", class: `op-${column}-cell` }, text)
    : element("td", { class: `op-${column}-cell` })));
  return element("table", { class: "op-table" }, element("caption", {}, caption),
    element("thead", {}, head), element("tbody", {}, ...rows.map((each) => each.node)));
}

/** The line of drafted token i, or of the target's own, which follows the last of them. */
function lineOf({ block, tokens, mode }, i) {
  const n = block.drafted.length;
  if (i > n || (i === n && block.own === null)) return null;
  if (i === n) {
    const p = block.candidates.find(([place]) => place === block.own)?.[1] ?? null;
    const from = block.kept < n ? "residual" : "bonus";
    return { token: tokens[block.own], after: p ?? 0, texts: ["", share(p), from], kind: "own" };
  }
  const read = i < block.u.length;
  const verdict = i < block.kept ? "kept" : read ? "rejected" : "dropped";
  const [q, p] = [block.q[i], read ? block.p[i] : null];
  return { token: tokens[block.drafted[i]], before: q, after: p ?? 0, kind: verdict,
    mark: read && mode === "sampled" ? block.u[i] * q : null, texts: [share(q), share(p), verdict] };
}

function passTable() {
  const rows = [...SPECULATE_GAMMAS, 0].map(row);
  const heads = { token: "Drafted", bar: "", before: "q", after: "p", verdict: "Verdict" };
  const node = table("One pass of the target: the drafted tokens and its own", heads, rows);
  const show = (measured) => rows.forEach((each, i) => {
    each.node.hidden = i > measured.gamma;
    each.show(lineOf(measured, i));
  });
  return { node, show };
}

function candidateTable() {
  const rows = Array.from({ length: SPECULATE_CANDIDATES }, row);
  const heads = { token: "Own token", bar: "", before: "q", after: "p", verdict: "Drawn with" };
  const node = table("Where the target's own token comes from", heads, rows);
  const show = ({ block, tokens }) => rows.forEach((each, i) => {
    if (i >= block.candidates.length) return each.show(null);
    const [place, p, q, chance] = block.candidates[i];
    const kinds = new Map([[block.drafted[block.kept], "rejected"], [block.own, "own"]]);
    const kind = kinds.get(place) ?? "candidate";
    return each.show({ token: tokens[place], before: q ?? 0, after: p, kind,
      texts: [share(q), share(p), share(chance)] });
  });
  return { node, show };
}

/** So far: passes and kept guesses. Of the whole text: tokens per pass and speedup, with theory. */
function statistics() {
  const { node, show: fill } = facts(
    ["Passes so far", "Kept so far", "Tokens per pass, whole text", "Speedup, whole text"]);
  const show = ({ run, step, gamma, mode, counted, expected, curves }) => {
    const seen = run.slice(0, step);
    const [theory, found] = curves.map((curve) => curve[gamma - 1].toFixed(2));
    fill([`${step} of ${run.length}`, added(seen) === 1 ? "1 token" : `${added(seen)} tokens`],
      [sum(seen.map((b) => b.kept)), `of ${sum(seen.map((b) => b.drafted.length))} drafted`],
      [counted[gamma - 1].toFixed(2), `in theory ${expected[mode][gamma - 1].toFixed(2)}`],
      [`${found} ×`, `in theory ${theory} ×`]);
  };
  return { node, show };
}

function status({ block, step, tokens }) {
  const n = block.drafted.length;
  const start = `Pass ${step}: ${n} drafted, ${block.kept} kept`;
  if (block.own === null) return `${start}. The text ends here.`;
  const own = tokenText(tokens[block.own]);
  if (block.kept === n) return `${start}. All agree, so ${own} comes as a bonus.`;
  return `${start}, ${tokenText(tokens[block.drafted[block.kept]])} rejected. ${own} replaces it.`;
}

function legend() {
  const entries = [["before", "draft's q"], ["after", "target's p"],
    ["mark", "random number: kept inside p"]];
  const spans = entries.map(([kind, text]) => element("span", {},
    element("span", { class: `op-swatch op-bar-${kind}`, "aria-hidden": "true" }), text));
  const show = ({ mode }) => { spans[2].classList.toggle("op-unseen", mode === "greedy"); };
  return { node: element("p", { class: "op-legend" }, ...spans), show };
}

const settingOf = ({ mode, temperature }) => (mode === "greedy"
  ? "Greedy: a guess is kept if it is the target's likeliest token, even where q is above p."
  : `The seeds are texts sampled at temperature ${temperature}.`);

export default {
  compute,
  render({ model: widget, el }) {
    const ask = promptLine(widget);
    const change = (settings) => setTraits(widget, settings);
    const restart = (settings) => change({ ...settings, step: 1 }); // another text
    const steppers = passButtons((step) => change({ step }));
    const texts = choice({
      label: "Text", options: TEXTS.map((name, value) => ({ value, name })),
      onInput: (n) => {
        if (widget.get("data").runs[n] === null) return; // still to come
        restart(n === 0 ? { mode: "greedy" } : { mode: "sampled", seed: n });
      },
    });
    const moves = { gamma: (gamma) => restart({ gamma }), cost: (cost) => change({ cost }) };
    const sliders = Object.entries(SLIDERS).map(([name, options]) => [name,
      slider({ ...options, onInput: moves[name] })]);
    const prompt = element("span", {});
    const text = element("span", {});
    const parts = [statistics(), passTable(), candidateTable(), costCurve(), legend()];
    const [figures, pass, own, curve, swatches] = parts.map((part) => part.node);
    const message = element("p", { class: "op-status", role: "status" });
    const setting = element("p", { class: "op-legend" });

    const redraw = () => {
      const measured = measure(valuesOf(widget, STATE));
      prompt.textContent = measured.prompt;
      text.replaceChildren(...textSpans(measured));
      texts.show(measured.chosen);
      texts.buttons.forEach((each, n) => {
        each.setAttribute("aria-disabled", String(measured.data.runs[n] === null));
      });
      for (const [name, control] of sliders) control.show(measured[name]);
      for (const part of parts) part.show(measured);
      setting.textContent = settingOf(measured);
      message.textContent = status(measured);
      steppers.show(measured.step, measured.run.length);
    };
    redraw();
    el.append(element("section",
      { class: "op-explorer op-speculation", "aria-label": "Speculation explorer" },
      ask.node, texts.node, setting,
      element("div", { class: "op-pair" },
        element("div", { class: "op-sliders" }, ...sliders.map(([, control]) => control.node)),
        curve),
      figures, element("p", { class: "op-prompt" }, prompt, text),
      steppers.node, message, pass, swatches, own));
    const unwatch = watch(widget, STATE, redraw);
    return () => [ask.end, unwatch].forEach((end) => end());
  },
};
