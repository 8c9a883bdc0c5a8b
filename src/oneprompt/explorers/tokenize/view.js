// The explorer of chapter 1: see TokenizeExplorer in tokenize.py for the state.

import { facts } from "../kit/charts.js";
import { button, choice } from "../kit/controls.js";
import { element, tokenText, tokenElement } from "../kit/element.js";
import { integer } from "../kit/numbers.js";
import { promptLine } from "../kit/prompt.js";
import { watch, valuesOf, setTraits } from "../kit/traits.js";
import { compute } from "./state.js";

const STATE = ["prompt", "notice", "pieces", "piece", "step"];

/** The whole text as tokens, each with its id; the pieces are the choices. */
function tokenLine(widget) {
  const node = element("div", {});
  let drawn = null;
  let pieces = null;
  const show = (state) => {
    if (drawn !== state.pieces) {
      drawn = state.pieces;
      pieces = choice({
        label: "Piece", onInput: (piece) => setTraits(widget, { piece, step: 0 }),
        options: drawn.map(({ steps, ids }, value) => ({
          value, name: `${steps.at(-1).map(tokenText).join(" + ")}, ids ${ids.join(", ")}`,
          content: element("span", { class: "op-token-row" }, ...steps.at(-1).map((token, i) =>
            element("span", { class: "op-token-box" }, tokenElement(token),
              element("span", { class: "op-share" }, `${ids[i]}`)))),
        })),
      });
      pieces.node.classList.add("op-pieces");
      node.replaceChildren(pieces.node);
    }
    pieces.show(state.piece);
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

export default {
  compute,
  render({ model: widget, el }) {
    const ask = promptLine(widget);
    const line = tokenLine(widget);
    const figures = facts(["Tokens", "Bytes", "Bytes per token"]);
    const title = element("p", { class: "op-title" });
    const merges = staircase();
    const ends = element("p", { class: "op-detail" });
    const go = (step) => setTraits(widget, { step });
    // While another text arrives trait by trait, the piece may be one of the text before.
    const chosen = () => widget.get("pieces")[widget.get("piece")] ?? widget.get("pieces")[0];
    const now = () => Math.min(widget.get("step"), chosen().ranks.length);
    const next = button("Next merge", () => go(now() + 1));
    const back = button("Back", () => go(now() - 1));
    const all = button("All merges", () => go(chosen().ranks.length));

    const redraw = () => {
      const state = valuesOf(widget, STATE);
      ask.show();
      line.show(state);
      const tokens = state.pieces.flatMap(({ ids }) => ids).length;
      const bytes = state.pieces.flatMap((piece) => piece.bytes.join(" ").split(" ")).length;
      figures.show([integer(tokens), ""], [integer(bytes), ""], [(bytes / tokens).toFixed(2), ""]);
      const piece = chosen();
      title.replaceChildren("The piece ", tokenElement(piece.steps.at(-1).join("")));
      merges.show(piece, now());
      const left = piece.ranks.length - now();
      ends.textContent = left > 0
        ? `${integer(left)} ${left === 1 ? "merge" : "merges"} to go.`
        : `No learned merge is left. Bytes: ${piece.bytes.join(" | ")}`;
      [next.disabled, all.disabled, back.disabled] = [left === 0, left === 0, now() === 0];
    };
    redraw();
    el.append(element("section", { class: "op-explorer", "aria-label": "Tokenize explorer" },
      ask.node, line.node, figures.node, title, merges.node, ends,
      element("div", { class: "op-buttons" }, next, back, all)));
    return watch(widget, STATE, redraw);
  },
};
