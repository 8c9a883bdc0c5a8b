// The state of the feed-forward explorer for a prompt that the model in the page computes, as
// `_run_model` in feedforward.py does. A test holds both equal.

import { pauses } from "../kit/frames.js";
import { MAX_TOKENS } from "../shared.js";

const REACH = 32; // these three as in feedforward.py

export const TOP = 6;

export const LEVELS_OF_COLOR = 20;

const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);

const lengthOf = (x) => Math.sqrt(dot(x, x));

const row = (matrix, t, width) => matrix.subarray(t * width, (t + 1) * width);

/** What is shown of one token's units; see `token_units`. */
function tokenUnits(z, hidden, rowLengths) {
  const written = Array.from(hidden, (h, j) => Math.abs(h) * rowLengths[j]);
  const order = written.map((_, j) => j).sort((a, b) => written[b] - written[a]);
  const lowest = (values) => values.indexOf(Math.min(...values));
  const enough = 0.9 * written.reduce((a, b) => a + b);
  let [needed, sum] = [0, 0];
  while (sum < enough) {
    sum += written[order[needed]];
    needed += 1;
  }
  const inputs = new Array(4 * REACH).fill(0);
  for (const x of z) inputs[Math.max(0, Math.min(4 * REACH - 1, Math.floor(2 * x) + 2 * REACH))] += 1;
  const level = (length) => Math.round((LEVELS_OF_COLOR * length) / written[order[0]]);
  const shown = [...order.slice(0, TOP), lowest(hidden), lowest(z)];
  return {
    active: hidden.filter((h) => h > 0).length,
    needed,
    levels: written.map((length) => level(length).toString(LEVELS_OF_COLOR + 1)).join(""),
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

/** The traits of a prompt. */
export async function traceInPage(lm, text) {
  const model = lm.model("reference");
  const pause = pauses();
  const { d_model: D, d_ff: F } = model.config;
  const ids = lm.promptIds(lm.tokenizer, text, MAX_TOKENS);
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
  return {
    trace: { tokens: ids.map(lm.tokenizer.text), layers,
      streams: ids.map((_, t) => streamLengths(trace, t, D)) },
    position: ids.length - 1,
  };
}
