// Computes the traits of a prompt with the model in the page, as FeedForwardExplorer.compute does.

import { pauses } from "../kit/frames.js";
import { promptIds } from "../kit/prompt_ids.js";
import {
  COLOR_LEVELS, DIGIT_BASE, FEEDFORWARD_REACHES, FEEDFORWARD_TOP, MAX_TOKENS,
} from "../shared.js";

const EDGE = 2 * FEEDFORWARD_REACHES.at(-1); // bins of 0.5 on each side of zero

const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
const lengthOf = (x) => Math.sqrt(dot(x, x));
const row = (matrix, t, width) => matrix.subarray(t * width, (t + 1) * width);
const lowest = (values) => values.indexOf(values.reduce((a, b) => Math.min(a, b)));

/** What is shown of one token's units; see `token_units`. */
export function tokenUnits(z, hidden, rowLengths) {
  const written = Array.from(hidden, (h, j) => Math.abs(h) * rowLengths[j]);
  const order = written.map((_, j) => j).sort((a, b) => written[b] - written[a]);
  const enough = 0.9 * written.reduce((a, b) => a + b);
  let [needed, sum] = [0, 0];
  do {
    sum += written[order[needed]];
    needed += 1;
  } while (sum < enough);
  const inputs = new Array(2 * EDGE).fill(0);
  for (const x of z) inputs[Math.max(-EDGE, Math.min(EDGE - 1, Math.floor(2 * x))) + EDGE] += 1;
  const largest = Math.max(written[order[0]], 1e-9);
  const level = (length) => Math.round((COLOR_LEVELS * length) / largest);
  const shown = [...order.slice(0, FEEDFORWARD_TOP), lowest(hidden), lowest(z)];
  return {
    active: hidden.filter((h) => h > 0).length,
    needed,
    levels: written.map((length) => level(length).toString(DIGIT_BASE)).join(""),
    inputs,
    units: shown.map((j) => [j, z[j], hidden[j], written[j]]),
  };
}

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

export async function compute(lm, text) {
  const model = lm.model("reference");
  const pause = pauses();
  const { d_model: D, d_ff: F } = model.config;
  const ids = promptIds(lm.tokenizer, text, MAX_TOKENS);
  const trace = lm.forward(model, ids);
  const layers = [];
  for (const [l, { norm2, hidden }] of trace.layers.entries()) {
    await pause();
    const [W1, b1, W2] = ["up.weight", "up.bias", "down.weight"].map(
      (name) => model.weights[`blocks.${l}.feedforward.${name}`]);
    const z = lm.linear(norm2, W1, b1, D);
    const rowLengths = Array.from({ length: F }, (_, j) => { // W2 is stored as (D, F)
      let squares = 0;
      for (let i = j; i < W2.length; i += F) squares += W2[i] ** 2;
      return Math.sqrt(squares);
    });
    layers.push(ids.map((_, t) => tokenUnits(row(z, t, F), row(hidden, t, F), rowLengths)));
  }
  const streams = ids.map((_, t) => streamLengths(trace, t, D));
  return { data: { tokens: ids.map(lm.tokenizer.text), layers, streams }, position: ids.length - 1 };
}
