// Steps 8 and 9 in the page: one token after another, alone or with a draft, as oneprompt/
// autoregress.py and speculate.py define them. Both are generators that yield after every pass, so
// that the page can draw and be stopped in between. `distribution` and `drawToken` come from
// explorers/distribution.js; `uniform()` gives one random number in [0, 1) per draw.

const SLICE = 16; // prompt tokens read per pass, so that a long prompt does not freeze the page

const chances = (logits, settings, history) =>
  distribution(logits, settings, history).probabilities;

/** Read what of `text` the cache lacks, in slices; yields between them, returns the last pass. */
function* read(model, text, cache) {
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
function* generate(model, ids, maxNewTokens, settings, uniform) {
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

/** max(0, p - q), scaled to sum to 1; p where nothing is left. */
function residual(p, q) {
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
function* speculate(
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
