// The playground: see Playground in explorer.py for the state, answer.js for how the page answers.

import { ranking, softmax, distribution } from "../../js/sample.js";
import { bar, cells } from "../kit/charts.js";
import { steps, slider, button, choice } from "../kit/controls.js";
import { element, tokenElement } from "../kit/element.js";
import { percent, integer } from "../kit/numbers.js";
import { promptLine } from "../kit/prompt.js";
import { watch, valuesOf, setTraits } from "../kit/traits.js";
import { PLAYGROUND_GAMMA, PLAYGROUND_SETTINGS, PLAYGROUND_SHOWN } from "../shared.js";
import { sampler, answerer, ending, counted, draftedChips } from "./answer.js";
import { turns, units } from "./panels.js";
import { compute } from "./state.js";

const ANSWER = ["answer", "answering"];
const STATE = ["prompt", "vocabulary", "data", "loading", "layer", "head", ...PLAYGROUND_SETTINGS];
const SLIDERS = {
  temperature: { label: "Temperature", stops: steps(0, 2, 0.05),
    describe: (t) => (t === 0 ? "greedy" : t.toFixed(2)) },
  // 0 turns top-k off, so it is at the end where nothing is cut.
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
    if (!widget.page) return element("span", {}, title);
    const { pages = "" } = document.documentElement.dataset; // where the pages are: at the root, book/
    return element("a", { href: `${pages}${stem}.html` }, title);
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
  const show = ({ prompt, data, answer, answering }) => {
    node.setAttribute("aria-busy", String(answering)); // read out when it is complete
    asked.textContent = prompt;
    text.textContent = answer.text.trim() || (answering ? "…" : "(an empty answer)");
    doubt.hidden = data.covered;
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
    onInput: (n) => setTraits(widget, { layer: Math.floor(n / heads), head: n % heads }) });
  grid.node.style.setProperty("--op-heads", heads);
  const padded = (map) => map.map((row) => [...row, ...new Array(map.length - row.length).fill(0)]);
  for (const { map, small } of maps) small.show(padded(map), 1);
  const large = cells("op-large-map");
  const [labels, line] = [element("div", { class: "op-map-labels" }), element("p", { class: "op-status" })];
  line.setAttribute("aria-live", "polite");
  const node = element("div", { class: "op-attention" },
    element("div", { class: "op-overview" }, grid.node),
    element("div", { class: "op-map-pair" }, labels, large.node), line);
  const show = ({ layer, head, data: { ids }, vocabulary }) => {
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
  const rows = Array.from({ length: PLAYGROUND_SHOWN }, () => {
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
    element("caption", {}, `The ${PLAYGROUND_SHOWN} most likely next tokens`), element("thead", {}, head),
    element("tbody", {}, ...rows.map((row) => row.node)));
  const show = (state) => {
    const { data: { logits, ids }, vocabulary } = state;
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

/** The answer, its tokens and those of the speculative run: redrawn with every token. */
function answerParts() {
  const [hero, written, drafted] = [answerCard(), chips("Tokens of the answer"), chips("Drafted")];
  const [end, passes] = [element("p", { class: "op-status" }), element("p", { class: "op-status" })];
  const show = (state) => {
    const { answer, vocabulary } = state;
    hero.show(state);
    written.show(answer.ids.map((id, i) => (
      { text: vocabulary[id], small: `${Math.round(100 * answer.chances[i])} %` })));
    drafted.show(draftedChips(state));
    [end.textContent, passes.textContent] = [ending(state), counted(state)];
  };
  return { hero: hero.node, written: written.node, drafted: drafted.node, end, passes, show };
}

/** Tokens, vectors and attention: redrawn for another prompt. */
function promptParts(widget) {
  const [tokens, vectors, heads] = [chips("Tokens and ids"), strips(), element("div", {})];
  const [clocks, wide] = [turns(), units()];
  let [drawn, map] = [null, null];
  const show = (state) => {
    const { data, vocabulary } = state;
    if (data !== drawn) {
      drawn = data;
      map = attention(widget, data);
      heads.replaceChildren(map.node);
      for (const part of [vectors, clocks, wide]) part.show(data, vocabulary);
      tokens.show(data.ids.map((id) => ({ text: vocabulary[id], small: id })));
    }
    map.show(state);
  };
  const nodes = { tokens: tokens.node, vectors: vectors.node, turns: clocks.node, units: wide.node };
  return { ...nodes, heads, show };
}

export default {
  compute,
  render({ model: widget, el }) {
    const ask = promptLine(widget);
    const progress = element("progress", { class: "op-progress", "aria-label": "Loading the model" });
    const [ofPrompt, next, ofAnswer] = [promptParts(widget), nextTokens(), answerParts()];
    const { hero, written, drafted, end, passes } = ofAnswer;
    const { generate, stop } = answerer(widget, [hero, written, drafted]);
    const [go, halt] = [button("Generate", generate), button("Stop", stop)];
    const sliders = Object.entries(SLIDERS).map(([name, options]) => [name,
      slider({ ...options, onInput: (value) => setTraits(widget, { [name]: value }) })]);
    ask.form.addEventListener("input", () => { // a reader who types will ask: load what that needs
      widget.page?.().catch(() => {}); // Run tries again and says what is wrong
    }, { once: true });
    ask.form.addEventListener("submit", () => { // to Python the same prompt again is not a change
      if (!widget.page && widget.get("asked") === widget.get("prompt")) generate();
    });

    const stateOf = () => {
      const state = valuesOf(widget, [...STATE, ...ANSWER]);
      // Traits of the page alone, where the model has to be loaded and answers token by token.
      return { ...state, answering: state.answering ?? false, loading: state.loading ?? false };
    };
    const redrawAnswer = (state = stateOf()) => {
      ofAnswer.show(state);
      halt.disabled = !state.answering;
    };
    const redraw = () => {
      const state = stateOf();
      progress.hidden = !state.loading;
      for (const [name, control] of sliders) control.show(state[name]);
      for (const part of [ofPrompt, next]) part.show(state);
      redrawAnswer(state);
    };
    redraw();
    const at = (...args) => step(widget, ...args);
    el.append(element("section", { class: "op-explorer op-playground", "aria-label": "Playground" },
      ask.node, progress, suggestions(widget, ask.form), hero,
      at({ "01_tokenize": "Tokenize" }, "the prompt's tokens and their ids", ofPrompt.tokens),
      at({ "02_embed": "Embed" }, "a vector per token: blue above zero, orange-red below", ofPrompt.vectors),
      at({ "03_position": "Position" }, "each token is turned by its place: a fast, a slower, a slow hand",
        ofPrompt.turns),
      at({ "04_attention": "Attention" }, "a row per asking token, a column per token it looks at", ofPrompt.heads),
      at({ "05_feedforward": "Feed-forward" }, "each token alone: widened, bent, and narrowed again",
        ofPrompt.units),
      at({ "06_logits": "Logits", "07_sample": "Sample" }, "what may come next, and how one is chosen", next.node,
        element("div", { class: "op-sliders" }, ...sliders.map(([, { node }]) => node))),
      at({ "08_autoregress": "Autoregress" }, "token by token, each with its probability",
        element("div", { class: "op-buttons" }, go, halt), written, end),
      at({ "09_speculate": "Speculate" }, `a draft guesses ${PLAYGROUND_GAMMA} tokens, one pass checks them`,
        drafted, passes)));
    const unwatch = [
      watch(widget, ["data"], () => { if (widget.page) generate(); }), // before it is drawn
      watch(widget, STATE, redraw),
      watch(widget, ANSWER, redrawAnswer),
    ];
    return () => [stop, ask.end, ...unwatch].forEach((each) => each());
  },
};
