// The explorer of merges: see MergesExplorer in explorer.py for the state.

import { bar, facts } from "../kit/charts.js";
import { button } from "../kit/controls.js";
import { element, tokenElement } from "../kit/element.js";
import { integer } from "../kit/numbers.js";
import { renderPerPrompt } from "../kit/prompt.js";
import { setTraits } from "../kit/traits.js";
import { TOKENIZE_FEWEST } from "../shared.js";
import { compute } from "./state.js";

/** The text so far: a box per token, the tokens made last in orange. */
function textSoFar() {
  const node = element("p", { class: "op-learned-text" });
  const show = ({ tokens, made }) => node.replaceChildren(...tokens.map((piece) =>
    element("span", { class: "op-learned-piece" }, ...piece.map((token) => element("span",
      { class: token === made ? "op-box op-box-made" : "op-box" }, tokenElement(token))))));
  return { node, show };
}

/** The most frequent pairs with their counts; the first one is joined next. */
function competingPairs() {
  const body = element("tbody", {});
  const node = element("table", { class: "op-table" },
    element("caption", {}, "The most frequent pairs"), body);
  const show = ({ pairs }) => {
    const most = pairs[0]?.[2];
    body.replaceChildren(...pairs.map(([left, right, count], i) => {
      const share = bar();
      share.show({ before: 0, after: count / most, mark: null });
      return element("tr", { class: i ? "" : "op-winner" },
        element("th", { scope: "row" }, tokenElement(left), " + ", tokenElement(right)),
        element("td", {}, share.node),
        element("td", { class: "op-after-cell" }, `${integer(count)} ×`));
    }));
  };
  return { node, show };
}

/** The list of merges so far, which is the tokenizer. */
function learnedTokens() {
  const node = element("p", { class: "op-detail", "aria-live": "polite" });
  const show = ({ merges }) => node.replaceChildren(
    merges.length ? "Learned so far: " : "Nothing is learned yet: the tokens are bytes.",
    ...merges.flatMap(([left, right], i) => [i ? ", " : "", tokenElement(left + right)]));
  return { node, show };
}

/** The buttons, and how far it is. */
function moves(widget) {
  let [now, last] = [0, 0];
  const go = (step) => setTraits(widget, { step });
  const next = button("Next merge", () => go(now + 1));
  const back = button("Back", () => go(now - 1));
  const all = button("All merges", () => go(last));
  const left = element("p", { class: "op-detail" });
  const show = (state) => {
    [now, last] = [state.now, state.last];
    [next.disabled, all.disabled, back.disabled] = [now === last, now === last, now === 0];
    left.textContent = now < last ? "The first pair is joined next."
      : "The end: no pair occurs twice, or there are enough merges to see.";
  };
  return { node: element("div", { class: "op-buttons" }, next, back, all), left, show };
}

function measure({ data: { start, rounds }, step }) {
  const [last, now] = [rounds.length, Math.min(step, rounds.length)];
  const merges = rounds.slice(0, now).map(({ pairs }) => pairs[0]);
  const tokens = now ? rounds[now - 1].tokens : start;
  const made = now ? merges[now - 1].slice(0, 2).join("") : null;
  return { now, last, merges, tokens, made, pairs: rounds[now]?.pairs ?? [] };
}

function build(widget) {
  const figures = facts(["Merges", "Tokens in the text", "Vocabulary"]);
  const parts = [textSoFar(), competingPairs(), learnedTokens()];
  const [text, pairs, learned] = parts;
  const buttons = moves(widget);
  const show = (state) => {
    for (const part of [...parts, buttons]) part.show(state);
    figures.show([integer(state.now), `of ${integer(state.last)}`],
      [integer(state.tokens.flat().length), ""],
      [integer(TOKENIZE_FEWEST + state.now), ""]);
  };
  const nodes = [text.node, buttons.node, buttons.left, pairs.node, learned.node, figures.node];
  return { nodes, show };
}

export default {
  compute,
  alone: true, // `compute` needs no model
  render: ({ model: widget, el }) => renderPerPrompt({
    widget, el, label: "Merges explorer", kind: "op-merging", traits: ["step"], build, measure }),
};
