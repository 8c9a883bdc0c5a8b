// Computes the traits of a prompt with the model in the page, as FeedForwardExplorer.compute does.

import { ranking, softmax } from "../../js/sample.js";
import { pauses } from "../kit/frames.js";
import { promptIds } from "../kit/prompt_ids.js";
import { FEEDFORWARD_NEXT, MAX_TOKENS } from "../shared.js";

const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
const lengthOf = (x) => Math.sqrt(dot(x, x));
const row = (matrix, t, width) => matrix.subarray(t * width, (t + 1) * width);

/** The residual stream of one token; see `stream_lengths`. */
function streamLengths({ embedding, layers }, t, D) {
  const additions = layers.flatMap(({ attention, feedforward }) => [attention, feedforward]);
  const sums = [embedding, ...layers.flatMap(({ middle, output }) => [middle, output])];
  const stream = sums.map((sum) => row(sum, t, D));
  const lengths = stream.map(lengthOf);
  const added = additions.map((addition) => lengthOf(row(addition, t, D)));
  const cosines = additions.map((addition, i) =>
    dot(stream[i], row(addition, t, D)) / (lengths[i] * added[i]));
  return { lengths, added, cosines };
}

/** The likeliest next tokens, [text, probability] each. */
function likeliest(lm, logits) {
  const p = softmax(Array.from(logits));
  return ranking(logits).slice(0, FEEDFORWARD_NEXT).map((id) => [lm.tokenizer.text(id), p[id]]);
}

/** The entry of the trait `without` for one unit of block l. */
export function withoutUnit(lm, text, l, unit) {
  const model = lm.model("reference");
  const pass = lm.forward(model, promptIds(lm.tokenizer, text, MAX_TOKENS));
  return likeliest(lm, lm.withoutUnits(model, pass, l, [unit]));
}

export async function compute(lm, text, get) {
  const model = lm.model("reference");
  const pause = pauses();
  const { d_model: D, d_ff: F } = model.config;
  const ids = promptIds(lm.tokenizer, text, MAX_TOKENS);
  const pass = lm.forward(model, ids);
  const every = Array.from({ length: F }, (_, unit) => unit);
  const [inputs, without] = [[], {}];
  for (const [l, { norm2, hidden }] of pass.layers.entries()) {
    const [W1, b1] = ["weight", "bias"].map((kind) => model.weights[`blocks.${l}.feedforward.up.${kind}`]);
    const z = lm.linear(norm2, W1, b1, D);
    inputs.push(ids.map((_, t) => Array.from(row(z, t, F))));
    const written = row(hidden, ids.length - 1, F).map((h, j) => Math.abs(h) * get("lengths")[l][j]);
    const most = written.indexOf(Math.max(...written));
    for (const [key, silent] of [[`${l}`, every], [`${l}:${most}`, [most]]]) {
      await pause();
      without[key] = likeliest(lm, lm.withoutUnits(model, pass, l, silent));
    }
  }
  const data = {
    tokens: ids.map(lm.tokenizer.text),
    inputs,
    streams: ids.map((_, t) => streamLengths(pass, t, D)),
    next: likeliest(lm, lm.toLogits(model, pass.final_norm)),
  };
  return { data, position: ids.length - 1, without };
}
