// Step 8 in the page: one token after another, as oneprompt/autoregress.py defines it.

import { newCache, forward, toLogits } from "./model.js";
import { distribution, drawToken } from "./sample.js";

const SLICE = 16; // prompt tokens read per pass, so that a long prompt does not freeze the page

export const chances = (logits, settings, history) =>
  distribution(logits, settings, history).probabilities;

/** Read what of `text` the cache lacks, in slices; yields between them, returns the last pass. */
export function* read(model, text, cache) {
  let pass;
  while (cache.length < text.length) {
    if (pass) yield null;
    pass = forward(model, text.slice(cache.length, cache.length + SLICE), cache);
  }
  return pass;
}

/**
 * Continue a prompt: yields {id, logits, stop} per token and null between slices of the prompt.
 * `stop` is "" while the text goes on, then "stop", "length" or "context".
 */
export function* generate(model, ids, maxNewTokens, settings, uniform) {
  const [text, cache] = [[...ids], newCache(model)];
  for (let n = 1; n <= maxNewTokens; n += 1) {
    const logits = toLogits(model, (yield* read(model, text, cache)).final_norm);
    const id = drawToken(chances(logits, settings, text), uniform());
    text.push(id);
    let stop = n === maxNewTokens ? "length" : "";
    if (!stop && text.length > model.config.context_length) stop = "context";
    if (id === model.eosId) stop = "stop";
    yield { id, logits, stop };
    if (stop) return;
  }
}
