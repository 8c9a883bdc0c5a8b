// From logits to the distribution that is drawn from, as oneprompt/sample.py defines it.
// A test holds both equal to 1e-6 over a grid of settings.

/** Token ids from the largest logit to the smallest; equal logits in the order of their ids. */
const ranking = (logits) =>
  Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);

function softmax(values) {
  const largest = values[0]; // ranked, so the first
  const weights = values.map((value) => Math.exp(value - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/**
 * How many of the ranked values each filter keeps. Temperature does not change the ranking and a
 * filter keeps its most likely tokens, so what is left is always the first part of the ranking.
 */
const FILTERS = {
  top_k: (values, k) => (k === 0 ? values.length : Math.min(k, values.length)),
  top_p: (values, p) => {
    if (p === 1) return values.length;
    let [sum, kept] = [0, 0];
    for (const probability of softmax(values)) {
      if (sum >= p) break; // the token that crosses p stays
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

/**
 * The distribution over `ranked` (see `ranking`) under the settings {temperature, top_k, top_p,
 * min_p, order}, where 0, 1 and 0 turn top-k, top-p and min-p off and temperature 0 is greedy.
 * Returns {probabilities, cutBy}, both by token id; `cutBy` names the step that removed a token.
 */
function distribution(logits, ranked, settings) {
  const cutBy = new Array(logits.length).fill(null);
  const cut = (from, name) => ranked.slice(from).forEach((id) => { cutBy[id] ??= name; });
  let values = ranked.map((id) => logits[id]);
  if (settings.temperature === 0) {
    values = values.slice(0, 1);
    cut(1, "greedy");
  } else {
    for (const name of settings.order) {
      if (name === "temperature") values = values.map((value) => value / settings.temperature);
      if (!(name in FILTERS)) continue;
      values = values.slice(0, FILTERS[name](values, settings[name]));
      cut(values.length, name);
    }
  }
  const probabilities = new Array(logits.length).fill(0);
  softmax(values).forEach((p, rank) => { probabilities[ranked[rank]] = p; });
  return { probabilities, cutBy };
}

const entropyBits = (probabilities) =>
  probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);

/** The n-th random number in [0, 1) of a seed: Mulberry32, whose state is seed + n steps. */
function uniform(seed, n) {
  let t = (seed + Math.imul(n + 1, 0x6d2b79f5)) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Inverse CDF: the token id whose stretch of the cumulative sum, in the order of ids, holds u. */
function drawToken(probabilities, u) {
  let [sum, last] = [0, 0];
  for (let id = 0; id < probabilities.length; id += 1) {
    if (probabilities[id] === 0) continue;
    sum += probabilities[id];
    last = id;
    if (u < sum) return id;
  }
  return last; // rounding left the sum a little below 1
}
