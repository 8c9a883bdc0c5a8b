// The state of a prompt, by the tokenizer in the lm, as TokenizeExplorer.compute in explorer.py.

/** The traits of a text, from the tokenizer in the lm. */
export function compute({ tokenizer, promptIds }, text) {
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
