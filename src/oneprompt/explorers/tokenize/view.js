// The tokenize explorer: see TokenizeExplorer in explorer.py for the state.

import { facts } from "../kit/charts.js";
import { button, choice } from "../kit/controls.js";
import { element, tokenText, tokenElement } from "../kit/element.js";
import { integer } from "../kit/numbers.js";
import { promptLine } from "../kit/prompt.js";
import { watch, valuesOf, setTraits } from "../kit/traits.js";
import { compute } from "./state.js";

const STATE = ["data", "piece", "step"];

/** The whole text as tokens, each with its id; the pieces are the choices. */
function tokenLine(widget) {
  const node = element("div", {});
  let [drawn, pieces] = [null, null];
  const show = ({ data, piece }) => {
    if (drawn !== data) {
      drawn = data;
      pieces = choice({
        label: "Piece", onInput: (value) => setTraits(widget, { piece: value, step: 0 }),
        options: data.pieces.map(({ steps, ids }, value) => ({
          value, name: `${steps.at(-1).map(tokenText).join(" + ")}, ids ${ids.join(", ")}`,
          content: element("span", { class: "op-token-row" }, ...steps.at(-1).map((token, i) =>
            element("span", { class: "op-token-box" }, tokenElement(token),
              element("span", { class: "op-share" }, `${ids[i]}`)))),
        })),
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
  let [now, last] = [0, 0];
  const go = (step) => setTraits(widget, { step });
  const next = button("Next merge", () => go(now + 1));
  const back = button("Back", () => go(now - 1));
  const all = button("All merges", () => go(last));
  const show = ({ data, piece, step }) => {
    const { steps, ranks, bytes } = data.pieces[piece];
    last = ranks.length;
    now = Math.min(step, last);
    title.replaceChildren("The piece ", tokenElement(steps.at(-1).join("")));
    merges.show({ steps, ranks }, now);
    left.textContent = now < last
      ? `${integer(last - now)} ${last - now === 1 ? "merge" : "merges"} to go.`
      : `No learned merge is left. Bytes: ${bytes.join(" | ")}`;
    [next.disabled, all.disabled, back.disabled] = [now === last, now === last, now === 0];
  };
  const buttons = element("div", { class: "op-buttons" }, next, back, all);
  return { nodes: [title, merges.node, left, buttons], show };
}

/** How many tokens and bytes the text has. */
function counts() {
  const figures = facts(["Tokens", "Bytes", "Bytes per token"]);
  const show = ({ data: { pieces } }) => {
    const tokens = pieces.flatMap(({ ids }) => ids).length;
    const bytes = pieces.flatMap((piece) => piece.bytes.join(" ").split(" ")).length;
    figures.show([integer(tokens), ""], [integer(bytes), ""], [(bytes / tokens).toFixed(2), ""]);
  };
  return { node: figures.node, show };
}

export default {
  compute,
  render({ model: widget, el }) {
    const ask = promptLine(widget);
    const [line, figures, chosen] = [tokenLine(widget), counts(), chosenPiece(widget)];
    const redraw = () => {
      const state = valuesOf(widget, STATE);
      for (const part of [line, figures, chosen]) part.show(state);
    };
    redraw();
    el.append(element("section", { class: "op-explorer", "aria-label": "Tokenize explorer" },
      ask.node, line.node, figures.node, ...chosen.nodes));
    const unwatch = watch(widget, STATE, redraw);
    return () => [unwatch(), ask.end()];
  },
};
