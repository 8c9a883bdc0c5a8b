// From logits to the distribution that is drawn from, as oneprompt/sample.py defines it.
// A test keeps the two equal to within 1e-6 over a grid of settings.

/** Token ids from the largest logit to the smallest; equal logits in the order of their ids. */
export const ranking = (logits) =>
  Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);

export function softmax(values) {
  const largest = values.reduce((a, b) => Math.max(a, b));
  const weights = values.map((value) => Math.exp(value - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

// A running sum of probabilities may miss a round number such as 0.8 by this much.
const ROUNDING = 1e-7;

/** How many of the ranked values each filter keeps: always the most likely ones. */
const FILTERS = {
  top_k: (values, k) => (k === 0 ? values.length : Math.min(k, values.length)),
  top_p: (values, p) => {
    if (p === 1) return values.length;
    let [sum, kept] = [0, 0];
    for (const probability of softmax(values)) {
      if (kept > 0 && sum >= p - ROUNDING) break; // the token that crosses p stays
      sum += probability;
      kept += 1;
    }
    return kept;
  },
  min_p: (values, share) => {
    const probabilities = softmax(values);
    const kept = probabilities.findIndex((p) => p < share * probabilities[0]);
    return kept < 0 ? values.length : kept;
  },
};

/** The ranked {id, value} list after the repetition penalty, ranked again. */
function penalize(ranked, penalty, history) {
  if (penalty === 1) return ranked;
  const seen = new Set(history);
  const change = (value) => (value > 0 ? value / penalty : value * penalty);
  return ranked
    .map(({ id, value }) => ({ id, value: seen.has(id) ? change(value) : value }))
    .sort((a, b) => b.value - a.value || a.id - b.id);
}

/**
 * The distribution under the settings {temperature, top_k, top_p, min_p, repetition_penalty, order},
 * where 0, 1, 0 and 1 turn top-k, top-p, min-p and the penalty off and temperature 0 is greedy.
 * `history` holds the ids so far. Returns {probabilities, cutBy}, both by token id; `cutBy` names the
 * step that removed a token.
 */
export function distribution(logits, settings, history = []) {
  const greedy = settings.temperature === 0;
  const cutBy = new Array(logits.length).fill(null);
  let kept = ranking(logits).map((id) => ({ id, value: logits[id] }));
  const keep = (count, name) => {
    for (const { id } of kept.slice(count)) cutBy[id] = greedy ? "greedy" : name;
    kept = kept.slice(0, count);
  };
  for (const name of settings.order) {
    if (name === "repetition_penalty") {
      kept = penalize(kept, settings.repetition_penalty ?? 1, history);
    } else if (name === "temperature") {
      const divisor = greedy ? 1 : settings.temperature;
      kept = kept.map(({ id, value }) => ({ id, value: value / divisor }));
    } else {
      keep(FILTERS[name](kept.map(({ value }) => value), settings[name]), name);
    }
  }
  if (greedy) keep(1);
  const probabilities = new Array(logits.length).fill(0);
  softmax(kept.map(({ value }) => value)).forEach((p, i) => { probabilities[kept[i].id] = p; });
  return { probabilities, cutBy };
}

export const entropyBits = (probabilities) =>
  probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);

/** The n-th random number in [0, 1) of a seed: Mulberry32, whose state is seed + n steps. */
export function uniform(seed, n) {
  let t = (seed + Math.imul(n + 1, 0x6d2b79f5)) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** The random numbers of a seed, one per call. */
export function random(seed) {
  let n = 0;
  return () => uniform(seed, n++);
}

/** Inverse CDF: the token id whose stretch of the cumulative sum, in the order of ids, holds u. */
export function drawToken(probabilities, u) {
  let [sum, last] = [0, 0];
  for (let id = 0; id < probabilities.length; id += 1) {
    if (probabilities[id] === 0) continue;
    sum += probabilities[id];
    last = id;
    if (u < sum) return id;
  }
  return last; // rounding left the sum a little below 1
}
