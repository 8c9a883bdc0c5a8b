// What the playground computes on a lm, with the model in the page: the state of a prompt, and an
// answer token by token. In a notebook Python does both; see Playground in playground.py.

import { MAX_CHARACTERS } from "../shared.js";
import { painted } from "../kit/frames.js";
import { integer } from "../kit/numbers.js";

const MAX_PROMPT = 48; // tokens

const READ = 8; // positions of the prompt per pass, so that no frame waits for all of them

/** Lower case, and one space in place of all that is no letter or digit of ASCII. */
const plain = (text) => ` ${text.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim()} `;

/** Whether one of the terms stands in the text, in the singular or with an s. */
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

function checkedIds(lm, text) {
  if (text.trim() === "") throw new RangeError("The prompt is empty: type a question.");
  if (text.length > MAX_CHARACTERS) {
    throw new RangeError(`The prompt has ${integer(text.length)} characters, and at most `
      + `${integer(MAX_CHARACTERS)} fit here: shorten it.`);
  }
  return lm.promptIds(lm.tokenizer, text, MAX_PROMPT);
}

/** The trait `trace` of a prompt, read in slices. */
export async function compute(lm, text, get) {
  const ids = checkedIds(lm, text);
  const model = lm.model("reference");
  const { n_layers: L, n_heads: H, d_model: D } = model.config;
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
  return { trace: { ids, embedding, weights, logits, covered: namesATerm(text, get("terms")) } };
}
