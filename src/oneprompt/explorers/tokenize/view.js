// The tokenize explorer: see TokenizeExplorer in explorer.py for the state.

import { facts } from "../kit/charts.js";
import { button, choice, slider } from "../kit/controls.js";
import { element, tokenText, tokenElement } from "../kit/element.js";
import { integer } from "../kit/numbers.js";
import { promptLine } from "../kit/prompt.js";
import { watch, valuesOf, setTraits } from "../kit/traits.js";
import { TOKENIZE_FEWEST } from "../shared.js";
import { compute } from "./state.js";

const STATE = ["prompt", "data", "piece", "step", "size", "largest"];

/** How many merges of a piece a vocabulary of this size has. */
const mergesIn = ({ ranks }, size) =>
  ranks.filter((rank) => rank < size - TOKENIZE_FEWEST).length;

/** The texts to choose from; their tokens are in the state, so no model is needed for them. */
function exampleTexts(widget, input) {
  const examples = widget.get("examples");
  const node = element("div", {});
  if (examples.length === 0) return { node, show() {} };
  const texts = choice({
    label: "Example", options: examples.map(({ name, text }) => ({ value: text, name })),
    onInput: (text) => {
      const { data } = examples.find((each) => each.text === text);
      input.value = text;
      const lengths = data.pieces.map(({ ids }) => ids.at(-1).length);
      const piece = lengths.indexOf(Math.max(...lengths)); // the one that falls apart most
      setTraits(widget, { asked: "", notice: "", data, piece, step: 0, prompt: text });
    },
  });
  node.append(texts.node);
  return { node, show: ({ prompt }) => texts.show(prompt) };
}

/** How much of the vocabulary is used. Each stop is a size at which the tokens change. */
function vocabulary(widget) {
  const node = element("div", { class: "op-vocabulary" });
  let [drawn, sizes] = [null, null];
  const show = ({ data, size, largest }) => {
    if (drawn !== data) {
      drawn = data;
      const needed = data.pieces.flatMap(({ ranks }) => ranks.map((r) => r + TOKENIZE_FEWEST + 1));
      const stops = [...new Set([TOKENIZE_FEWEST, ...needed, largest])].sort((a, b) => a - b);
      sizes = slider({ label: "Vocabulary", stops, describe: (n) => `V = ${integer(n)}`,
        onInput: (value) => setTraits(widget, { size: value }) });
      node.replaceChildren(sizes.node);
    }
    sizes.show(size);
  };
  return { node, show };
}

/** The whole text as tokens, each with its id; the pieces are the choices. */
function tokenLine(widget) {
  const node = element("div", {});
  let [drawn, drawnSize, pieces] = [null, null, null];
  const show = ({ data, piece, size }) => {
    if (drawn !== data || drawnSize !== size) {
      [drawn, drawnSize] = [data, size];
      pieces = choice({
        label: "Piece", onInput: (value) => setTraits(widget, { piece: value, step: 0 }),
        options: data.pieces.map((each, value) => {
          const [tokens, ids] = [each.steps, each.ids].map((all) => all[mergesIn(each, size)]);
          return {
            value, name: `${tokens.map(tokenText).join(" + ")}, ids ${ids.join(", ")}`,
            content: element("span", { class: "op-token-row" }, ...tokens.map((token, i) =>
              element("span", { class: "op-token-box" }, tokenElement(token),
                element("span", { class: "op-share" }, `${ids[i]}`)))),
          };
        }),
      });
      pieces.node.classList.add("op-pieces");
      node.replaceChildren(pieces.node);
    }
    pieces.show(piece);
  };
  return { node, show };
}

/** The tokens that a step made: those that differ from the step before. */
function madeBy(before, after) {
  const made = new Set();
  for (let i = 0, j = 0; i < after.length; i += 1) {
    if (after[i] === before[j]) j += 1;
    else {
      made.add(i);
      j += 2;
    }
  }
  return made;
}

/** One row per merge so far, from single bytes down. */
function staircase() {
  const node = element("ol", { class: "op-merges", "aria-live": "polite" });
  const show = ({ steps, ranks }, step) => {
    node.replaceChildren(...steps.slice(0, step + 1).map((tokens, n) => {
      const made = n === 0 ? new Set() : madeBy(steps[n - 1], tokens);
      const boxes = tokens.map((token, i) => element("span",
        { class: made.has(i) ? "op-byte op-made" : "op-byte" }, tokenElement(token)));
      const label = n === 0 ? "bytes" : `merge ${integer(ranks[n - 1] + 1)}`;
      return element("li", {}, element("span", { class: "op-detail" }, label), ...boxes);
    }));
  };
  return { node, show };
}

/** The chosen piece with its merges so far, and the buttons that apply them. */
function chosenPiece(widget) {
  const title = element("p", { class: "op-title" });
  const merges = staircase();
  const left = element("p", { class: "op-detail" });
  const rivals = element("p", { class: "op-rivals" });
  let [now, last] = [0, 0];
  const go = (step) => setTraits(widget, { step });
  const next = button("Next merge", () => go(now + 1));
  const back = button("Back", () => go(now - 1));
  const all = button("All merges", () => go(last));
  const show = ({ data, piece, step, size }) => {
    const { steps, ranks, bytes, pairs } = data.pieces[piece];
    last = mergesIn({ ranks }, size);
    now = Math.min(step, last);
    title.replaceChildren("The piece ", tokenElement(steps.at(-1).join("")));
    merges.show({ steps, ranks }, now);
    left.textContent = now < last
      ? `${integer(last - now)} ${last - now === 1 ? "merge" : "merges"} to go.`
      : `No learned merge is left. ${last < ranks.length ? "" : `Bytes: ${bytes.join(" | ")}`}`;
    const known = pairs[now].filter(([, , rank]) => rank < size - TOKENIZE_FEWEST);
    rivals.replaceChildren(...known.map(([one, two, rank]) => element("span", {},
      tokenElement(one), " + ", tokenElement(two),
      element("span", { class: "op-detail" }, ` merge ${integer(rank + 1)}`))));
    [next.disabled, all.disabled, back.disabled] = [now === last, now === last, now === 0];
  };
  const buttons = element("div", { class: "op-buttons" }, next, back, all);
  return { nodes: [title, merges.node, rivals, left, buttons], show };
}

/** How many tokens and bytes the text has. */
function counts() {
  const figures = facts(["Tokens", "Bytes", "Bytes per token"]);
  const show = ({ data: { pieces }, size }) => {
    const tokens = pieces.flatMap((piece) => piece.ids[mergesIn(piece, size)]).length;
    const bytes = pieces.flatMap((piece) => piece.bytes.join(" ").split(" ")).length;
    figures.show([integer(tokens), ""], [integer(bytes), ""], [(bytes / tokens).toFixed(2), ""]);
  };
  return { node: figures.node, show };
}

export default {
  compute,
  render({ model: widget, el }) {
    const ask = promptLine(widget);
    const examples = exampleTexts(widget, ask.form.querySelector("input"));
    const [line, figures, chosen] = [tokenLine(widget), counts(), chosenPiece(widget)];
    const sizes = vocabulary(widget);
    const redraw = () => {
      const state = valuesOf(widget, STATE);
      for (const part of [examples, line, sizes, figures, chosen]) part.show(state);
    };
    redraw();
    el.append(element("section", { class: "op-explorer", "aria-label": "Tokenize explorer" },
      examples.node, ask.node, sizes.node, figures.node, line.node, ...chosen.nodes));
    const unwatch = watch(widget, STATE, redraw);
    return () => [unwatch(), ask.end()];
  },
};
