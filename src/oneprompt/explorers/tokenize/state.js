// Computes the traits of a prompt with the tokenizer in the page, as TokenizeExplorer.compute does.

import { promptIds } from "../kit/prompt_ids.js";
import { TOKENIZE_MAX_TOKENS, TOKENIZE_PAIRS } from "../shared.js";

/** The pairs of neighbors that can be joined, the one learned first in front. */
function joinable(tokenizer, tokens) {
  const known = new Map();
  tokens.slice(1).forEach((right, i) => known.set(tokenizer.rankOf(tokens[i], right), [tokens[i], right]));
  known.delete(undefined);
  return [...known].sort(([a], [b]) => a - b).slice(0, TOKENIZE_PAIRS)
    .map(([rank, pair]) => [...pair.map(tokenizer.readable), rank]);
}

export function compute({ tokenizer }, text) {
  promptIds(tokenizer, text, TOKENIZE_MAX_TOKENS); // before it is merged step by step
  const pieces = tokenizer.pieces(text).map((piece) => {
    const steps = tokenizer.mergeSteps(piece);
    const last = steps.at(-1);
    const hex = (token) => tokenizer.bytesOf(token).map((b) => b.toString(16).padStart(2, "0"));
    return {
      ids: steps.map((tokens) => tokens.map(tokenizer.idOf)),
      bytes: last.map((token) => hex(token).join(" ")),
      steps: steps.map((tokens) => tokens.map(tokenizer.readable)),
      ranks: steps.slice(1).map((after, n) => {
        const at = after.findIndex((token, i) => token !== steps[n][i]);
        return tokenizer.rankOf(steps[n][at], steps[n][at + 1]);
      }),
      pairs: steps.map((tokens) => joinable(tokenizer, tokens)),
    };
  });
  return { data: { pieces }, piece: 0, step: 0 };
}
