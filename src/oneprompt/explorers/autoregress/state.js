// The state of a prompt, by the model in the lm, as AutoregressExplorer.compute in explorer.py.

import { pauses } from "../kit/frames.js";
import { MAX_TOKENS } from "../shared.js";

export const MAX_NEW_TOKENS = 40; // as in autoregress.py

/** The traits of a prompt, from the model in the lm. */
export async function compute(lm, text) {
  const model = lm.model("reference");
  const ids = lm.promptIds(lm.tokenizer, text, MAX_TOKENS);
  const run = { tokens: ids.map(lm.tokenizer.text), prompt: ids.length, chances: [] };
  const [greedy, pause] = [{ temperature: 0, order: [] }, pauses()];
  for (const pass of lm.generate(model, ids, MAX_NEW_TOKENS, greedy, () => 0.5)) {
    await pause();
    if (!pass) continue;
    const { probabilities } = lm.distribution(pass.logits, { temperature: 1, order: [] });
    run.tokens.push(lm.tokenizer.text(pass.id));
    run.chances.push(Number(probabilities[pass.id].toFixed(4)));
    run.stop_reason = pass.stop;
  }
  return { run, step: 1 };
}
