// Computes the traits of a prompt with the model in the page, as SamplingExplorer.compute does.

import { promptIds } from "../kit/prompt_ids.js";

export function compute(lm, text) {
  const model = lm.model("reference");
  const ids = promptIds(lm.tokenizer, text, model.config.context_length);
  const { final_norm } = lm.forward(model, ids);
  const data = { logits: Array.from(lm.toLogits(model, final_norm)), history: ids };
  return { data, draws: [] };
}
