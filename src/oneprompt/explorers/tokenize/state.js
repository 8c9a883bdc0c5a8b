// Computes the traits of a prompt with the tokenizer in the page, as TokenizeExplorer.compute does.

import { promptIds } from "../kit/prompt_ids.js";
import { TOKENIZE_MAX_TOKENS } from "../shared.js";

export function compute({ tokenizer }, text) {
  promptIds(tokenizer, text, TOKENIZE_MAX_TOKENS); // before it is merged step by step
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
  return { data: { pieces }, piece: 0, step: 0 };
}
