// The state of a prompt, by the model in the lm, as AttentionExplorer.compute in explorer.py.

import { MAX_TOKENS } from "../shared.js";

/** The state of a prompt, computed by the model in the page as `_run_model` does in Python. */
export function traceInPage(lm, text) {
  const model = lm.model("reference");
  const { n_heads: heads, head_dim: width } = model.config;
  const ids = lm.promptIds(lm.tokenizer, text, MAX_TOKENS);
  const row = (x, t, h) => Array.from(x.slice((t * heads + h) * width, (t * heads + h + 1) * width));
  const split = (x) => // (T, H d) -> (H, T, d)
    Array.from({ length: heads }, (_, h) => ids.map((_, t) => row(x, t, h)));
  const dot = (q, k) => q.reduce((sum, x, i) => sum + x * k[i], 0);
  const products = (queries, keys) =>
    queries.map((rows, h) => rows.map((q) => keys[h].map((k) => dot(q, k))));
  const { layers } = lm.forward(model, ids);
  const trace = {
    tokens: ids.map(lm.tokenizer.text),
    dots: layers.map(({ q, k }) => products(split(q), split(k))),
    values: layers.map(({ v }) => split(v)),
  };
  return { trace, query: ids.length - 1 };
}
