// Computes the traits of a prompt with the model in the page, as LogitsExplorer.compute does.

import { ranking, softmax, entropyBits } from "../../js/sample.js";
import { pauses } from "../kit/frames.js";
import { promptIds } from "../kit/prompt_ids.js";
import { LOGITS_TOP, MAX_TOKENS } from "../shared.js";

export async function compute(lm, text) {
  const model = lm.model("reference");
  const pause = pauses();
  const V = model.config.vocab_size;
  const ids = promptIds(lm.tokenizer, text, MAX_TOKENS);
  const rows = lm.lens(model, lm.forward(model, ids)).map((logits) =>
    ids.map((_, t) => Array.from(logits.subarray(t * V, (t + 1) * V))));
  await pause();
  const chosen = rows.at(-1).map((logits) => ranking(logits)[0]);
  const cell = (logits, t) => {
    const [ranked, probabilities] = [ranking(logits), softmax(logits)];
    return {
      top: ranked.slice(0, LOGITS_TOP).map((id) => [lm.tokenizer.text(id), logits[id]]),
      log_sum: logits[ranked[0]] - Math.log(probabilities[ranked[0]]),
      entropy: entropyBits(probabilities),
      own: [logits[chosen[t]], 1 + ranked.indexOf(chosen[t])],
    };
  };
  const cells = rows.map(() => []);
  for (const [depth, each] of rows.entries()) {
    for (const [t, logits] of each.entries()) {
      cells[depth].push(cell(logits, t));
      await pause();
    }
  }
  return {
    data: { tokens: ids.map(lm.tokenizer.text), vocab_size: V, cells }, position: ids.length - 1,
  };
}
