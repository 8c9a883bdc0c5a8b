// The playground: see Playground in playground.py for the state, ask.js for what the page computes.

import { ranking, softmax, distribution } from "../../js/sample.js";
import { bar, cells } from "../kit/charts.js";
import { steps, slider, button, choice } from "../kit/controls.js";
import { element, tokenElement } from "../kit/element.js";
import { percent, integer } from "../kit/numbers.js";
import { promptLine } from "../kit/prompt.js";
import { watch, valuesOf } from "../kit/traits.js";
import { GAMMA, SETTINGS, sampler, answerInPage, ending, counted, draftedChips } from "./answer.js";
import { LOADING } from "../kit/notices.js";
import { compute } from "./state.js";

const SHOWN = 8; // of the most likely next tokens

const SLIDERS = {
  temperature: { label: "Temperature", stops: steps(0, 2, 0.05),
    describe: (t) => (t === 0 ? "greedy" : t.toFixed(2)) },
  // 0 turns top-k off, so it stands at the end where nothing is cut.
  top_k: { label: "Top-k", stops: [...steps(1, 20, 1), 30, 50, 100, 200, 500, 1000, 0],
    describe: (k) => (k === 0 ? "off" : integer(k)) },
  top_p: { label: "Top-p", stops: steps(0.05, 1, 0.05),
    describe: (p) => (p === 1 ? "off" : p.toFixed(2)) },
  seed: { label: "Seed", stops: steps(0, 20, 1), describe: String },
};

/** Steps by their chapters, {stem: name}, linked where there are pages to link to. */
function step(widget, chapters, about, ...content) {
  const titles = Object.entries(chapters).map(([stem, name]) => {
    const title = `${stem.slice(1, 2)} ${name}`;
    return widget.page ? element("a", { href: `${stem}.html` }, title) : element("span", {}, title);
  });
  const label = Object.values(chapters).join(" and ");
  return element("div", { class: "op-step", role: "group", "aria-label": label },
    element("p", { class: "op-step-head" }, ...titles, element("span", { class: "op-detail" }, about)),
    ...content);
}

/** The suggested questions; choosing one asks it. */
function suggestions(widget, form) {
  const chips = widget.get("suggestions").map((question) => button(question, () => {
    form.querySelector("input").value = question;
    form.requestSubmit();
  }));
  return element("div", { class: "op-suggestions", role: "group", "aria-label": "Suggested questions" },
    ...chips);
}

function answerCard() {
  const [asked, text] = [element("p", { class: "op-asked" }), element("p", { class: "op-answer" })];
  const doubt = element("p", { class: "op-doubt" },
    "This question names no term of the glossary, and the model has read nothing else: take its "
    + "answer for what it is.");
  const node = element("div", { class: "op-hero", role: "status" }, asked, text, doubt);
  const show = ({ prompt, trace, answer, busy }) => {
    node.setAttribute("aria-busy", String(busy)); // read out when it is complete
    asked.textContent = prompt;
    text.textContent = answer.text.trim() || (busy ? "…" : "(an empty answer)");
    doubt.hidden = trace.covered;
  };
  return { node, show };
}

/** Tokens in a row, each with a small text below. */
const chips = (label) => {
  const node = element("ol", { class: "op-chips", "aria-label": label });
  const show = (list) => node.replaceChildren(...list.map(({ text, small, kind = "" }) =>
    element("li", { class: kind }, tokenElement(text), element("span", { class: "op-share" }, small))));
  return { node, show };
};

/** One strip of colored cells per token. */
function strips() {
  const node = element("div", { class: "op-strips" });
  const show = ({ embedding, ids }, vocabulary) => {
    const largest = embedding.flat().reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    node.replaceChildren(...embedding.flatMap((row, t) => {
      const strip = cells("op-value-strip");
      strip.show([row], largest);
      return [tokenElement(vocabulary[ids[t]]), strip.node];
    }));
  };
  return { node, show };
}

/** All heads as small maps to choose from, the chosen one large beside them. */
function attention(widget, { weights }) {
  const heads = weights[0].length;
  const maps = weights.flatMap((layer, l) => layer.map((map, h) => ({ l, h, map, small: cells() })));
  const grid = choice({ label: "Head", columns: heads,
    options: maps.map(({ l, h, small }, value) => (
      { value, name: `layer ${l}, head ${h}`, content: small.node })),
    onInput: (n) => {
      widget.set("layer", Math.floor(n / heads));
      widget.set("head", n % heads);
      widget.save_changes();
    } });
  grid.node.style.setProperty("--op-heads", heads);
  const padded = (map) => map.map((row) => [...row, ...new Array(map.length - row.length).fill(0)]);
  for (const { map, small } of maps) small.show(padded(map), 1);
  const large = cells("op-large-map");
  const [labels, line] = [element("div", { class: "op-map-labels" }), element("p", { class: "op-status" })];
  line.setAttribute("aria-live", "polite");
  const node = element("div", { class: "op-attention" },
    element("div", { class: "op-overview" }, grid.node),
    element("div", { class: "op-map-pair" }, labels, large.node), line);
  const show = ({ layer, head, trace: { ids }, vocabulary }) => {
    const map = weights[layer][head];
    grid.show(layer * heads + head);
    large.show(padded(map), 1);
    labels.replaceChildren(...(ids.length > 16 ? [] : ids.map((id) => tokenElement(vocabulary[id]))));
    const last = map.at(-1);
    const best = last.indexOf(Math.max(...last));
    line.replaceChildren(`Layer ${layer}, head ${head}: the last token gives `,
      `${percent(last[best])} of its attention to `, tokenElement(vocabulary[ids[best]]),
      best === last.length - 1 ? ", itself." : ".");
  };
  return { node, show };
}

/** The most likely next tokens, by the model alone and with the settings. */
function nextTokens() {
  const rows = Array.from({ length: SHOWN }, () => {
    const [shares, name] = [bar(), element("th", { scope: "row" })];
    const [track, before, after] = ["bar", "before", "after"].map(
      (column) => element("td", { class: `op-${column}-cell` }));
    track.append(shares.node);
    return { node: element("tr", {}, name, track, before, after), shares, name, before, after };
  });
  const head = element("tr", {}, element("th", { scope: "col" }, "Next token"),
    element("td", { class: "op-bar-cell" }),
    element("th", { scope: "col", class: "op-before-cell" }, "Model"),
    element("th", { scope: "col", class: "op-after-cell" }, "Now"));
  const node = element("table", { class: "op-table" },
    element("caption", {}, `The ${SHOWN} most likely next tokens`), element("thead", {}, head),
    element("tbody", {}, ...rows.map((row) => row.node)));
  const show = (state) => {
    const { trace: { logits, ids }, vocabulary } = state;
    const ranked = ranking(logits);
    const before = softmax(logits);
    const after = distribution(logits, sampler((name) => state[name]), ids).probabilities;
    rows.forEach((row, i) => {
      const id = ranked[i];
      row.shares.show({ before: before[id], after: after[id], mark: null });
      row.name.replaceChildren(tokenElement(vocabulary[id]));
      row.before.textContent = percent(before[id]);
      row.after.textContent = percent(after[id]);
      row.node.classList.toggle("op-cut", after[id] === 0);
    });
  };
  return { node, show };
}

const STATE = ["prompt", "notice", "vocabulary", "trace", "answer", "layer", "head", ...SETTINGS];

export default {
  compute,
  render({ model: widget, el }) {
    let [run, busy] = [{ stopped: true }, false];
    const change = (name) => (value) => { widget.set(name, value); widget.save_changes(); };
    const ask = promptLine(widget);
    const form = ask.node.querySelector("form");
    const progress = element("progress", { class: "op-progress", "aria-label": "Loading the model" });
    const [hero, tokens, vectors] = [answerCard(), chips("Tokens and ids"), strips()];
    const [next, written, drafted] = [nextTokens(), chips("Tokens of the answer"), chips("Drafted")];
    const sliders = Object.entries(SLIDERS).map(([name, options]) => [name,
      slider({ ...options, onInput: change(name) })]);
    const [end, passes] = [element("p", { class: "op-status" }), element("p", { class: "op-status" })];
    const heads = element("div", {});
    const growing = [hero.node, written.node, drafted.node];

    const generate = async () => {
      if (!widget.page) return change("requests")(widget.get("requests") + 1);
      run.stopped = true;
      const mine = { stopped: false };
      [run, busy] = [mine, true];
      for (const node of growing) node.style.minBlockSize = `${node.offsetHeight}px`; // no jumps
      try {
        await answerInPage(widget, mine);
      } catch (error) {
        widget.set("notice", error.message);
      }
      if (run !== mine) return undefined; // the next one has begun
      busy = false;
      for (const node of growing) node.style.minBlockSize = "";
      return redrawAnswer();
    };
    form.addEventListener("input", () => { // who types will ask: load what asking needs
      widget.page?.().catch(() => {}); // Run tries again and says what is wrong
    }, { once: true });
    const go = button("Generate", generate);
    const stop = button("Stop", () => { run.stopped = true; });
    form.addEventListener("submit", () => { // the same prompt once more only needs a new answer
      const working = ["Computing …"].includes(widget.get("notice"));
      if (working || widget.get("asked") !== widget.get("prompt")) return;
      widget.set("notice", "");
      generate();
    });

    const stateOf = () => ({ busy, ...valuesOf(widget, STATE) });
    const redrawAnswer = () => { // with every token: nothing else is drawn then
      const state = stateOf();
      const { answer, vocabulary } = state;
      hero.show(state);
      written.show(answer.ids.map((id, i) => (
        { text: vocabulary[id], small: `${Math.round(100 * answer.chances[i])} %` })));
      drafted.show(draftedChips(state));
      [end.textContent, passes.textContent] = [ending(state), counted(state)];
      stop.disabled = !busy;
    };
    let [traced, map] = [null, null];
    const redraw = () => {
      const state = stateOf();
      const { trace, vocabulary } = state;
      if (trace !== traced) { // another prompt
        traced = trace;
        map = attention(widget, trace);
        heads.replaceChildren(map.node);
        vectors.show(trace, vocabulary);
        tokens.show(trace.ids.map((id) => ({ text: vocabulary[id], small: id })));
      }
      ask.show();
      progress.hidden = state.notice !== LOADING;
      for (const [name, control] of sliders) control.show(state[name]);
      for (const part of [map, next]) part.show(state);
      redrawAnswer();
    };
    redraw();
    const at = (...args) => step(widget, ...args);
    el.append(element("section", { class: "op-explorer op-playground", "aria-label": "Playground" },
      ask.node, progress, suggestions(widget, form), hero.node,
      at({ "01_tokenize": "Tokenize" }, "the prompt's tokens and their ids", tokens.node),
      at({ "02_embed": "Embed" }, "a vector per token: blue above zero, orange below", vectors.node),
      at({ "04_attention": "Attention" }, "a row per asking token, a column per token it looks at", heads),
      at({ "06_logits": "Logits", "07_sample": "Sample" }, "what may come next, and how one is chosen", next.node,
        element("div", { class: "op-sliders" }, ...sliders.map(([, { node }]) => node))),
      at({ "08_autoregress": "Autoregress" }, "token by token, each with its probability",
        element("div", { class: "op-buttons" }, go, stop), written.node, end),
      at({ "09_speculate": "Speculate" }, `a draft guesses ${GAMMA} tokens, one pass checks them`,
        drafted.node, passes)));
    const unwatch = [watch(widget, ["answer"], redrawAnswer),
      watch(widget, STATE.filter((name) => name !== "answer"), redraw),
      watch(widget, ["trace"], () => { if (widget.page) generate(); })];
    return () => { run.stopped = true; unwatch.forEach((end) => end()); };
  },
};
