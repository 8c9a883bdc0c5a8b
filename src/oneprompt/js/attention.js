// Step 4 in the page: attention, as oneprompt/attention.py defines it.

import { softmax } from "./sample.js";

/** Scores and weights (H, T, S) of T queries over all S keys, and the mixed values (T, H d). */
export function attend(q, keys, values, start, { n_heads, head_dim }) {
  const width = n_heads * head_dim;
  const T = q.length / width;
  const S = start + T;
  const [scores, weights, heads] = [new Float32Array(n_heads * T * S), new Float32Array(n_heads * T * S),
    new Float32Array(q.length)];
  for (let h = 0; h < n_heads; h += 1) {
    for (let t = 0; t < T; t += 1) {
      const [row, query] = [(h * T + t) * S, t * width + h * head_dim];
      let [largest, total] = [-Infinity, 0];
      for (let s = 0; s < S; s += 1) {
        let dot = 0;
        for (let i = 0, key = s * width + h * head_dim; i < head_dim; i += 1) {
          dot += q[query + i] * keys[key + i];
        }
        scores[row + s] = dot / Math.sqrt(head_dim);
        if (s <= start + t) largest = Math.max(largest, scores[row + s]);
      }
      const visible = start + t + 1; // the causal mask
      for (let s = 0; s < visible; s += 1) {
        weights[row + s] = Math.exp(scores[row + s] - largest);
        total += weights[row + s];
      }
      for (let s = 0; s < visible; s += 1) {
        weights[row + s] /= total;
        for (let i = 0, value = s * width + h * head_dim; i < head_dim; i += 1) {
          heads[query + i] += weights[row + s] * values[value + i];
        }
      }
    }
  }
  return { scores, weights, heads };
}

export const isVisible = (query, key, window, causal = true) =>
  (key <= query || !causal) && (window === 0 || key > query - window);

/**
 * From the dot products of one query with every key to its weights; `window` 0 means no window.
 * Without `scaled` nothing is divided by √width, without `causal` later keys are visible.
 */
export function stagesOf(dots, query, width, window, { scaled = true, causal = true } = {}) {
  const scores = dots.map((dot) => (scaled ? dot / Math.sqrt(width) : dot));
  const masked = scores.map((score, key) =>
    (isVisible(query, key, window, causal) ? score : -Infinity));
  return { dots, scores, masked, weights: softmax(masked) };
}

/** The weighted sum of the values: what the head hands to the query. */
export const mix = (weights, values) =>
  values[0].map((_, i) => weights.reduce((sum, weight, key) => sum + weight * values[key][i], 0));

/** The key/value head that a query head reads when `heads` query heads share `groups` of them. */
export const sharedHead = (head, heads, groups) => Math.floor(head / (heads / groups));
