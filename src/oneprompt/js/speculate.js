// Step 9 in the page: one model drafts, the other checks, as oneprompt/speculate.py defines it.

import { chances, read, stopReason } from "./autoregress.js";
import { newCache, forward, toLogits } from "./model.js";
import { drawToken } from "./sample.js";

/** max(0, p - q), scaled to sum to 1; p where nothing is left. */
export function residual(p, q) {
  const left = p.map((value, id) => Math.max(0, value - q[id]));
  const total = left.reduce((sum, value) => sum + value, 0);
  return total > 0 ? left.map((value) => value / total) : p;
}

const rowsOf = (values, width) =>
  Array.from({ length: values.length / width }, (_, i) => values.subarray(i * width, (i + 1) * width));

/**
 * {made, p, u}: the drafted ids that are kept and one of the target's own, the distribution of the
 * target at each of them, and the random number that decided on each drafted id it examined.
 */
function verify(rows, drafted, q, text, settings, uniform) {
  const [kept, p, u] = [[], [], []];
  const own = (distribution) => [...kept, drawToken(distribution, uniform())];
  for (const [i, token] of drafted.entries()) {
    p.push(chances(rows[i], settings, [...text, ...kept]));
    u.push(uniform());
    if (u[i] * q[i][token] >= p[i][token]) return { made: own(residual(p[i], q[i])), p, u };
    kept.push(token);
  }
  p.push(chances(rows[drafted.length], settings, [...text, ...kept]));
  return { made: own(p.at(-1)), p, u };
}

/** Up to `most` ids drawn from the draft, its logits, and the distributions q that they gave. */
function* propose(draft, text, cache, most, settings, uniform) {
  const [drafted, q, draftLogits] = [[], [], []];
  while (drafted.length < most) {
    const whole = [...text, ...drafted];
    draftLogits.push(toLogits(draft, (yield* read(draft, whole, cache)).final_norm));
    q.push(chances(draftLogits.at(-1), settings, whole));
    drafted.push(drawToken(q.at(-1), uniform()));
    yield null;
  }
  return { drafted, q, draftLogits };
}

/**
 * The same text from two models: `draft` proposes up to gamma tokens, one pass of `target` checks
 * them. Yields a pass {drafted, q, draftLogits, logits, p, new, accepted, u, stop} of the target with
 * the fields of `Pass` in speculate.py, the draft's logits, and p, the target's distribution at each
 * new id; and null wherever the page may draw. The draft can have its own random numbers.
 */
export function* speculate(
  target, draft, ids, maxNewTokens, settings, uniform, gamma, draftUniform = uniform,
) {
  let text = [...ids];
  const [end, full] = [ids.length + maxNewTokens, target.config.context_length + 1];
  const [cache, draftCache] = [newCache(target), newCache(draft)];
  yield* read(target, text.slice(0, -1), cache);
  while (text.length < end) {
    // One id more than the drafted ones comes out of a pass, and all must fit.
    const most = Math.min(gamma, Math.min(end, full) - text.length - 1);
    const proposal = yield* propose(draft, text, draftCache, most, settings, draftUniform);
    const { drafted, q } = proposal;
    const { final_norm } = forward(target, [...text, ...drafted].slice(cache.length), cache);
    yield null;
    const logits = rowsOf(toLogits(target, final_norm, drafted.length + 1), target.config.vocab_size);
    const { made, p, u } = verify(logits, drafted, q, text, settings, uniform);
    const stopAt = made.indexOf(target.eosId);
    if (stopAt >= 0) made.length = stopAt + 1;
    text = [...text, ...made];
    const accepted = made.filter((token, i) => token === drafted[i]).length;
    const stop = stopReason(stopAt >= 0, end - text.length, full - text.length);
    const [examined, decided] = [p, u].map((each) => each.slice(0, made.length));
    yield { ...proposal, logits, p: examined, new: made, accepted, u: decided, stop };
    if (stop) return;
    cache.length = text.length - 1;
    draftCache.length = Math.min(draftCache.length, text.length - 1);
  }
}

/** Like `expected_tokens_per_pass` of oneprompt/speculate.py. */
export const expectedTokens = (acceptance, gamma) =>
  Array.from({ length: gamma + 1 }, (_, i) => acceptance ** i).reduce((sum, term) => sum + term, 0);

/** How much faster than one pass per token, if a draft pass costs `cost` target passes. */
export const speedup = (tokensPerPass, gamma, cost) => tokensPerPass / (cost * gamma + 1);
