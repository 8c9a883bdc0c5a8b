// Step 8 in the page: one token after another, as oneprompt/autoregress.py defines it.

import { newCache, forward, toLogits } from "./model.js";
import { distribution, drawToken } from "./sample.js";

const SLICE = 16; // prompt tokens read per pass, so that a long prompt does not freeze the page

export const chances = (logits, settings, history) =>
  distribution(logits, settings, history).probabilities;

/** Read what the cache lacks of `text`, in slices; yields in between, returns the last pass. */
export function* read(model, text, cache) {
  let pass;
  while (cache.length < text.length) {
    if (pass) yield null;
    pass = forward(model, text.slice(cache.length, cache.length + SLICE), cache);
  }
  return pass;
}

/** Why a text ends after its newest id, or "": `room` counts the ids that the context still allows. */
export function stopReason(isStopId, wanted, room) {
  if (isStopId) return "stop";
  if (wanted === 0) return "length";
  return room === 0 ? "context" : "";
}

/**
 * Continue a prompt: yields a step {token_id, logits, stop} per pass, and null wherever the page may
 * draw, between slices of the prompt.
 */
export function* generate(model, ids, maxNewTokens, settings, uniform) {
  const [text, cache] = [[...ids], newCache(model)];
  for (let wanted = maxNewTokens - 1; wanted >= 0; wanted -= 1) { // after this one
    const logits = toLogits(model, (yield* read(model, text, cache)).final_norm);
    const token_id = drawToken(chances(logits, settings, text), uniform());
    text.push(token_id);
    const room = model.config.context_length + 1 - text.length;
    const stop = stopReason(token_id === model.eosId, wanted, room);
    yield { token_id, logits, stop };
    if (stop) return;
  }
}
