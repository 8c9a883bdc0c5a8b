// Step 9 in the page: one model drafts, the other checks, as oneprompt/speculate.py defines it.

import { chances, read } from "./autoregress.js";
import { newCache, forward, toLogits } from "./model.js";
import { drawToken } from "./sample.js";

/** max(0, p - q), scaled to sum to 1; p where nothing is left. */
export function residual(p, q) {
  const left = p.map((value, id) => Math.max(0, value - q[id]));
  const total = left.reduce((sum, value) => sum + value, 0);
  return total > 0 ? left.map((value) => value / total) : p;
}

/**
 * The same text from two models: `draft` proposes up to gamma tokens, one pass of `target` checks
 * them. Yields {drafted, kept, accepted, p, q, stop} per pass of the target: the ids, how many drafted
 * ones stay, the target's distributions at the places it examined and the draft's at all that it
 * drafted; null wherever the page may draw. The draft can have random numbers of its own.
 */
export function* speculate(
  target, draft, ids, maxNewTokens, settings, uniform, gamma, draftUniform = uniform,
) {
  let text = [...ids];
  const [cache, draftCache] = [newCache(target), newCache(draft)];
  yield* read(target, text.slice(0, -1), cache);
  for (let stop = ""; !stop;) {
    const made = text.length - ids.length;
    const room = Math.min(maxNewTokens - made, target.config.context_length - text.length + 1);
    const [drafted, q] = [[], []];
    while (drafted.length < Math.min(gamma, room - 1)) {
      const whole = [...text, ...drafted];
      const logits = toLogits(draft, (yield* read(draft, whole, draftCache)).final_norm);
      q.push(chances(logits, settings, whole));
      drafted.push(drawToken(q.at(-1), draftUniform()));
      yield null;
    }
    const start = cache.length;
    const { final_norm } = forward(target, [...text, ...drafted].slice(start), cache);
    yield null;
    const rows = toLogits(target, final_norm, drafted.length + 1);
    const V = rows.length / (drafted.length + 1);
    const [kept, p] = [[], []];
    let accepted = 0;
    for (let i = 0; i <= drafted.length; i += 1) {
      p.push(chances(rows.subarray(i * V, (i + 1) * V), settings, [...text, ...kept]));
      if (i === drafted.length) {
        kept.push(drawToken(p[i], uniform())); // the bonus
        break;
      }
      const id = drafted[i];
      if (uniform() * q[i][id] >= p[i][id]) {
        kept.push(drawToken(residual(p[i], q[i]), uniform()));
        break;
      }
      kept.push(id);
      accepted += 1;
    }
    const end = kept.indexOf(target.eosId);
    if (end >= 0) kept.length = end + 1;
    text = [...text, ...kept];
    cache.length = Math.min(cache.length, text.length - 1);
    draftCache.length = Math.min(draftCache.length, text.length - 1);
    if (end >= 0) stop = "stop";
    else if (text.length - ids.length >= maxNewTokens) stop = "length";
    else if (text.length > target.config.context_length) stop = "context";
    yield { drafted, kept, accepted: Math.min(accepted, kept.length), p, q, stop };
  }
}

/** As `expected_tokens_per_pass` of oneprompt/speculate.py. */
export const expectedTokens = (acceptance, gamma) =>
  Array.from({ length: gamma + 1 }, (_, i) => acceptance ** i).reduce((sum, term) => sum + term, 0);

/** How much faster than one pass per token, if a draft pass costs `cost` target passes. */
export const speedup = (tokensPerPass, gamma, cost) => tokensPerPass / (cost * gamma + 1);
