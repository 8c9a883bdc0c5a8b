// Computes the traits of a prompt with the model in the page, as AttentionExplorer.compute does.

import { promptIds } from "../kit/prompt_ids.js";
import { MAX_TOKENS } from "../shared.js";

export function compute(lm, text) {
  const model = lm.model("reference");
  const { n_heads: H, head_dim: d } = model.config;
  const ids = promptIds(lm.tokenizer, text, MAX_TOKENS);
  const row = (x, t, h) => Array.from(x.slice((t * H + h) * d, (t * H + h + 1) * d));
  const split = (x) => // (T, H d) -> (H, T, d)
    Array.from({ length: H }, (_, h) => ids.map((_id, t) => row(x, t, h)));
  const dot = (q, k) => q.reduce((sum, x, i) => sum + x * k[i], 0);
  const products = (queries, keys) =>
    queries.map((rows, h) => rows.map((q) => keys[h].map((k) => dot(q, k))));
  const { layers } = lm.forward(model, ids);
  const data = {
    tokens: ids.map(lm.tokenizer.text),
    dots: layers.map(({ q, k }) => products(split(q), split(k))),
    values: layers.map(({ v }) => split(v)),
  };
  return { data, query: ids.length - 1 };
}
