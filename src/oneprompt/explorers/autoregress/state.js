// Computes the traits of a prompt with the model in the page, as AutoregressExplorer.compute does.

import { pauses } from "../kit/frames.js";
import { promptIds } from "../kit/prompt_ids.js";
import { AUTOREGRESS_MAX_NEW, MAX_TOKENS } from "../shared.js";

export async function compute(lm, text) {
  const model = lm.model("reference");
  const ids = promptIds(lm.tokenizer, text, MAX_TOKENS);
  const data = { tokens: ids.map(lm.tokenizer.text), prompt: ids.length, chances: [] };
  const [greedy, pause] = [{ temperature: 0, order: [] }, pauses()];
  for (const step of lm.generate(model, ids, AUTOREGRESS_MAX_NEW, greedy, () => 0.5)) {
    await pause();
    if (!step) continue;
    const { probabilities } = lm.distribution(step.logits, { temperature: 1, order: [] });
    data.tokens.push(lm.tokenizer.text(step.token_id));
    data.chances.push(Number(probabilities[step.token_id].toFixed(4)));
    data.stop_reason = step.stop;
  }
  return { data, step: 1 };
}
