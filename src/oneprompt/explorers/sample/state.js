// The state of a prompt, by the model in the lm, as SamplingExplorer.compute in explorer.py.

/** The traits of a prompt, from the model in the lm. */
export function compute(lm, text) {
  const model = lm.model("reference");
  const ids = lm.promptIds(lm.tokenizer, text, model.config.context_length);
  const { final_norm } = lm.forward(model, ids);
  return { logits: Array.from(lm.toLogits(model, final_norm)), history: ids, draws: [] };
}
