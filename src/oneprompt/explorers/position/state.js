// Computes the traits of a prompt with the model in the page, as PositionExplorer.compute does.
// N is the number of positions.

import { angleAt, sinusoidal, turn, PAIRINGS, pairCoordinates, alibiShift } from "../../js/position.js";
import { checkPrompt } from "../kit/prompt_ids.js";
import { POSITION_LEAST_TOKENS, POSITION_TOO_SHORT } from "../shared.js";

/** Queries or keys (N, H d) after RoPE: row t turned for position t. */
function turned(rows, { n_heads: H, head_dim: d }, frequencies, pairing) {
  const result = rows.slice();
  for (let start = 0; start < rows.length; start += d) {
    const t = Math.floor(start / (H * d));
    frequencies.forEach((frequency, i) => {
      const [a, b] = pairCoordinates(i, frequencies.length, pairing).map((c) => start + c);
      [result[a], result[b]] = turn([rows[a], rows[b]], angleAt(t, frequency));
    });
  }
  return result;
}

/** Per head, a row for each of the query positions `ts`: the scores at distance 0, 1, …, t. */
function byDistance(lm, { config }, q, k, ts) {
  const N = q.length / (config.n_heads * config.head_dim);
  const { scores } = lm.attend(q, k, k, 0, config); // (H, N, N)
  return Array.from({ length: config.n_heads }, (_, h) => ts.map((t) =>
    Array.from({ length: t + 1 }, (_, distance) => scores[(h * N + t) * N + t - distance])));
}

/**
 * A token's query ("q") or key ("k") of the first block at every position, (N, H d): its embedding,
 * `factor` times as long, with `table` (N, D) added.
 */
function atEveryPosition(lm, model, name, id, table, factor = 1) {
  const D = model.config.d_model;
  const x = table.flatMap((row) =>
    row.map((added, i) => factor * model.weights.embedding[id * D + i] + added));
  return lm.unturned(model, 0, Float32Array.from(x))[name];
}

/** The ids of the query's and the key's token: the two before the prompt's last one. */
function queryAndKey(lm, text) {
  checkPrompt(text);
  const ids = lm.tokenizer.encode(text); // of any number: only two of them are computed
  if (ids.length < POSITION_LEAST_TOKENS) {
    throw new RangeError(POSITION_TOO_SHORT
      .replace("{n}", ids.length).replace("{least}", POSITION_LEAST_TOKENS));
  }
  const [key, query] = ids.slice(-POSITION_LEAST_TOKENS);
  return [query, key];
}

export function compute(lm, text, get) {
  const model = lm.model("reference");
  const { d_model: D, n_heads: H, head_dim: d } = model.config;
  const [learned, frequencies, slopes] = ["learned", "frequencies", "slopes"].map(get);
  const tokens = queryAndKey(lm, text);
  const both = (table, factor) => ["q", "k"].map(
    (name, i) => atEveryPosition(lm, model, name, tokens[i], table, factor));
  const every = Array.from(learned.keys());
  const added = (table, factor) => byDistance(lm, model, ...both(table, factor), every);

  const [q, k] = both(learned.map((row) => row.map(() => 0)));
  const none = byDistance(lm, model, q, k, every.slice(-1));
  const rope = (pairing) => byDistance(lm, model,
    ...[q, k].map((rows) => turned(rows, model.config, frequencies, pairing)), every.slice(-1));
  const scores = {
    none,
    alibi: none.map(([row], h) => [row.map((score, far) => score + alibiShift(slopes[h], far))]),
    learned: added(learned),
    sinusoidal: added(sinusoidal(learned.length, D), Math.sqrt(D)), // see `position_scores`
  };
  for (const pairing of PAIRINGS) scores[`rope ${pairing}`] = rope(pairing);
  const [queries, keys] = [q, k].map((rows) =>
    Array.from({ length: H }, (_, h) => Array.from(rows.subarray(h * d, (h + 1) * d))));
  return { data: { tokens: tokens.map(lm.tokenizer.text), queries, keys, scores } };
}
