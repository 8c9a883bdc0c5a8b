// The explorer of chapter 1: see TokenizeExplorer in tokenize.py for the state.

const STATE = ["prompt", "notice", "pieces", "piece", "step"];

/** The whole text as tokens, each with its id; the pieces are the choices. */
function tokenLine(model) {
  const node = element("div", {});
  let drawn = null;
  let pieces = null;
  const show = (state) => {
    if (drawn !== state.pieces) {
      drawn = state.pieces;
      pieces = choice({
        label: "Piece", onInput: (piece) => setTraits(model, { piece, step: 0 }),
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

/** The traits of a text, from the tokenizer in the page. */
function compute({ tokenizer, promptIds }, text) {
  promptIds(tokenizer, text, 256);
  const pieces = tokenizer.pieces(text).map((piece) => {
    const steps = tokenizer.mergeSteps(piece);
    const last = steps.at(-1);
    const hex = (token) => tokenizer.bytesOf(token).map((b) => b.toString(16).padStart(2, "0"));
    return {
      ids: last.map(tokenizer.idOf),
      bytes: last.map((token) => hex(token).join(" ")),
      steps: steps.map((tokens) => tokens.map(tokenizer.readable)),
      ranks: steps.slice(1).map((after, n) => {
        const at = after.findIndex((token, i) => token !== steps[n][i]);
        return tokenizer.rankOf(steps[n][at], steps[n][at + 1]);
      }),
    };
  });
  return { pieces, piece: 0, step: 0 };
}

export default {
  compute,
  render({ model, el }) {
    const ask = promptForm(model);
    const line = tokenLine(model);
    const figures = facts(["Tokens", "Bytes", "Bytes per token"]);
    const title = element("p", { class: "op-title" });
    const merges = staircase();
    const ends = element("p", { class: "op-detail" });
    const go = (step) => setTraits(model, { step });
    // While another text arrives trait by trait, the piece may be one of the text before.
    const chosen = () => model.get("pieces")[model.get("piece")] ?? model.get("pieces")[0];
    const now = () => Math.min(model.get("step"), chosen().ranks.length);
    const next = button("Next merge", () => go(now() + 1));
    const back = button("Back", () => go(now() - 1));
    const all = button("All merges", () => go(chosen().ranks.length));

    const redraw = () => {
      const state = valuesOf(model, STATE);
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
    return watch(model, STATE, redraw);
  },
};
