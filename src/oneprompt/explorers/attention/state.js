// Computes the traits of a prompt with the model in the page, as AttentionExplorer.compute does.

import { ranking, softmax } from "../../js/sample.js";
import { pauses } from "../kit/frames.js";
import { promptIds } from "../kit/prompt_ids.js";
import { ATTENTION_TOP, MAX_TOKENS } from "../shared.js";

export async function compute(lm, text) {
  const model = lm.model("reference");
  const pause = pauses();
  const { n_heads: H, head_dim: d } = model.config;
  const ids = promptIds(lm.tokenizer, text, MAX_TOKENS);
  const row = (x, t, h) => Array.from(x.slice((t * H + h) * d, (t * H + h + 1) * d));
  const split = (x) => // (T, H d) -> (H, T, d)
    Array.from({ length: H }, (_, h) => ids.map((_id, t) => row(x, t, h)));
  const dot = (q, k) => q.reduce((sum, x, i) => sum + x * k[i], 0);
  const products = (queries, keys) =>
    queries.map((rows, h) => rows.map((q) => keys[h].map((k) => dot(q, k))));
  const likeliest = (logits) => {
    const p = softmax(Array.from(logits));
    return ranking(logits).slice(0, ATTENTION_TOP).map((id) => [lm.tokenizer.text(id), p[id]]);
  };
  const pass = lm.forward(model, ids);
  const every = Array.from({ length: H }, (_, h) => h);
  const without = pass.layers.map(() => []);
  for (const [l, found] of without.entries()) {
    for (const silent of [...every.map((h) => [h]), every]) {
      found.push(likeliest(lm.withoutHeads(model, pass, l, silent)));
      await pause();
    }
  }
  const data = {
    tokens: ids.map(lm.tokenizer.text),
    dots: pass.layers.map(({ q, k }) => products(split(q), split(k))),
    values: pass.layers.map(({ v }) => split(v)),
    next: likeliest(lm.toLogits(model, pass.final_norm)),
    without,
  };
  return { data, query: ids.length - 1 };
}
