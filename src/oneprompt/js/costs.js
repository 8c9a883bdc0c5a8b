// What a pass costs at least, as oneprompt/costs.py defines it. Python counts what a model needs
// (`counts`); a load is {bits, batch, S, T}.

const CACHE_BYTES = 2; // of a number in the caches of a server
const MULTIPLY_ADD = 2; // floating-point operations

/** {weights, caches, flops} of one pass: bytes that are read, and operations. */
export function passNeeds(counts, { bits, batch, S, T }) {
  return {
    weights: (counts.read * bits) / 8,
    caches: batch * S * counts.kept * CACHE_BYTES,
    flops: batch * T * (counts.position + S * counts.pair + counts.logits) * MULTIPLY_ADD,
  };
}

/** {weights, caches, arithmetic} in seconds, with `seconds` for the pass and its `limit`. */
export function passTimes(counts, gpu, load) {
  const needs = passNeeds(counts, load);
  const [weights, caches] = [needs.weights / gpu.bandwidth, needs.caches / gpu.bandwidth];
  const arithmetic = needs.flops / gpu.peak;
  const seconds = Math.max(weights + caches, arithmetic);
  const reading = weights >= caches ? "weights" : "caches";
  const limit = arithmetic > weights + caches ? "arithmetic" : reading;
  return { weights, caches, arithmetic, seconds, limit };
}

/** The bytes of the weights, and of the caches of all texts. */
export const memoryNeeded = (counts, { bits, batch, S }) =>
  (counts.held * bits) / 8 + batch * S * counts.kept * CACHE_BYTES;
