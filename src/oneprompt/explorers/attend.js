// The stages of attention for one query, as oneprompt/attention.py defines them. A test holds both
// equal. The softmax is the one of distribution.js.

const isVisible = (query, key, window) =>
  key <= query && (window === 0 || key > query - window);

/** From the dot products of one query with every key to its weights; `window` 0 means no window. */
function attend(dots, query, width, window) {
  const scores = dots.map((dot) => dot / Math.sqrt(width));
  const masked = scores.map((score, key) => (isVisible(query, key, window) ? score : -Infinity));
  return { dots, scores, masked, weights: softmax(masked) };
}

const lengthOf = (vector) => Math.hypot(...vector);

const times = (vector, factor) => vector.map((x) => factor * x);

/** The weighted sum of the values: what the head hands to the query. */
const mix = (weights, values) =>
  values[0].map((_, i) => weights.reduce((sum, weight, key) => sum + weight * values[key][i], 0));

/** The key/value head that a query head reads when `heads` query heads share `groups` of them. */
const sharedHead = (head, heads, groups) => Math.floor(head / (heads / groups));
