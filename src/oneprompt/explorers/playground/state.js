// Computes the traits of a prompt with the model in the page, as Playground.compute does.

import { painted } from "../kit/frames.js";
import { promptIds } from "../kit/prompt_ids.js";
import { EMPTY_PROMPT, PLAYGROUND_HANDS, PLAYGROUND_MAX_TOKENS } from "../shared.js";

const READ = 8; // positions of the prompt per pass, so that no frame waits for all of them

/** Lower case, and one space for each run of anything but ASCII letters and digits. */
const plain = (text) => ` ${text.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim()} `;

/** Whether one of the terms occurs in the text, in the singular or with an s. */
function namesATerm(text, terms) {
  const words = plain(text);
  return terms.some((term) => ["", "s"].some((ending) => words.includes(` ${term}${ending} `)));
}

/** Rows of `width` numbers each, as plain arrays of short decimals. */
function rowsOf(values, width, digits) {
  const short = (value) => Number(value.toFixed(digits)) + 0;
  return Array.from({ length: values.length / width },
    (_, t) => Array.from(values.subarray(t * width, (t + 1) * width), short));
}

/** The prompt is read in slices, and the page may draw after each. */
export async function compute(lm, text, get) {
  if (text.trim() === "") throw new RangeError(EMPTY_PROMPT);
  const ids = promptIds(lm.tokenizer, text, PLAYGROUND_MAX_TOKENS);
  const model = lm.model("reference");
  const { n_layers: L, n_heads: H, d_model: D, d_ff: F, head_dim: d, rope_theta: base } = model.config;
  const cache = lm.newCache(model);
  const [embedding, weights] = [[], Array.from({ length: L }, () => Array.from({ length: H }, () => []))];
  let pass;
  while (cache.length < ids.length) {
    const start = cache.length;
    pass = lm.forward(model, ids.slice(start, start + READ), cache);
    embedding.push(...rowsOf(pass.embedding, D, 3));
    const T = cache.length - start;
    pass.layers.forEach((layer, l) => rowsOf(layer.weights, cache.length, 3).forEach((row, i) => {
      weights[l][Math.floor(i / T)].push(row.slice(0, start + (i % T) + 1)); // without hidden keys
    }));
    await painted();
  }
  const [logits] = rowsOf(lm.toLogits(model, pass.final_norm), model.config.vocab_size, 4);
  const hidden = rowsOf(pass.layers.at(-1).hidden, F, 2).at(-1);
  const speeds = Array.from({ length: PLAYGROUND_HANDS }, (_, i) =>
    Number((base ** (-(2 * i) / d)).toFixed(4)));
  const covered = namesATerm(text, get("terms"));
  return { data: { ids, embedding, speeds, weights, hidden, logits, covered } };
}
