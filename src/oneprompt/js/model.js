// The model in the page: the forward pass of oneprompt/model.py in plain JavaScript, for the
// architecture of the reference pair (LayerNorm, RoPE on halves, GELU (tanh), tied output).
// Matrices are Float32Arrays, row after row. T new positions, S all positions so far, D d_model,
// H heads, d head_dim, F d_ff, V vocab_size.

import { attend } from "./attention.js";
import { linear } from "./linear.js";
import { ropeTurns, rotate } from "./position.js";

const zeros = (length) => new Float32Array(length);

/** Every 16-bit floating-point number by its bits. */
const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => {
  const sign = bits >> 15 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15); // no weight is infinite or NaN
});

/** The bytes that base64 stands for. */
const decode = (text) => {
  const decoded = atob(text);
  const bytes = new Uint8Array(decoded.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = decoded.charCodeAt(i); // `from` is 10 times slower
  return bytes.buffer;
};

/** A model from {config, eosId, …}, see page_model.py. */
export const makeModel = ({ config, eosId, ...packed }) =>
  ({ config, eosId, weights: unpack(packed), turns: ropeTurns(config) });

/**
 * Weights by name, from {tensors: name -> [offset, length], bytes, halves}. A matrix is made of its
 * integers in `bytes` and a scale per row in `halves`.
 */
export function unpack({ tensors, bytes, halves }) {
  const integers = new Int8Array(decode(bytes));
  const bits = new Uint16Array(decode(halves)); // little-endian, like every browser's machine
  const weights = {};
  for (const [name, [offset, length]] of Object.entries(tensors)) {
    if (name.endsWith(".scale")) continue;
    const weight = (weights[name] = zeros(length));
    const [first, rows] = tensors[`${name}.scale`] ?? [offset, 0];
    if (rows === 0) {
      for (let i = 0; i < length; i += 1) weight[i] = HALVES[bits[offset + i]];
    }
    const columns = length / rows;
    for (let row = 0; row < rows; row += 1) {
      const scale = HALVES[bits[first + row]];
      for (let i = row * columns; i < (row + 1) * columns; i += 1) weight[i] = integers[offset + i] * scale;
    }
  }
  return weights;
}

function layerNorm(x, weight, bias, eps) {
  const D = weight.length;
  const y = zeros(x.length);
  for (let row = 0; row < x.length; row += D) {
    let [mean, variance] = [0, 0];
    for (let i = 0; i < D; i += 1) mean += x[row + i] / D;
    for (let i = 0; i < D; i += 1) variance += (x[row + i] - mean) ** 2 / D;
    const scale = 1 / Math.sqrt(variance + eps);
    for (let i = 0; i < D; i += 1) y[row + i] = (x[row + i] - mean) * scale * weight[i] + bias[i];
  }
  return y;
}

const gelu = (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const add = (x, y) => x.map((value, i) => value + y[i]);

/** An empty KV cache. To forget positions, set `length` back. */
export function newCache({ config: { n_layers, context_length, n_heads, head_dim } }) {
  const room = () => Array.from({ length: n_layers }, () => zeros(context_length * n_heads * head_dim));
  return { length: 0, keys: room(), values: room() };
}

/** The two kinds of layers with weights in block l. */
function layersOf({ config: { norm_eps }, weights }, l) {
  const of = (name) => ["weight", "bias"].map((kind) => weights[`blocks.${l}.${name}.${kind}`]);
  return {
    norm: (name, x) => layerNorm(x, ...of(name), norm_eps),
    project: (name, x, I) => linear(x, ...of(name), I),
  };
}

/** The normed input (T, D) of block l, and its queries, keys and values before RoPE turns them. */
export function unturned(model, l, x) {
  const { norm, project } = layersOf(model, l);
  const norm1 = norm("norm1", x);
  const [q, k, v] = ["query", "key", "value"].map(
    (name) => project(`attention.${name}`, norm1, model.config.d_model));
  return { norm1, q, k, v };
}

/** One block, (T, D) -> every tensor along the way, named as in oneprompt/trace.py. */
function block(model, l, x, cache) {
  const { config, turns } = model;
  const { head_dim: d, n_heads: H } = config;
  const { norm1, q, k, v } = unturned(model, l, x);
  rotate(q, turns, cache.length, H * d, d);
  rotate(k, turns, cache.length, H * d, d);
  cache.keys[l].set(k, cache.length * H * d);
  cache.values[l].set(v, cache.length * H * d);
  const attended = attend(q, cache.keys[l], cache.values[l], cache.length, config);
  return { norm1, q, k, v, ...attended, ...afterHeads(model, l, x, attended.heads) };
}

/** The rest of block l, from its input and what its heads take, (T, H d). */
function afterHeads(model, l, x, heads) {
  const { d_model: D, d_ff: F, head_dim: d, n_heads: H } = model.config;
  const { norm, project } = layersOf(model, l);
  const attention = project("attention.output", heads, H * d);
  const middle = add(x, attention);
  const norm2 = norm("norm2", middle);
  const hidden = project("feedforward.up", norm2, D).map(gelu);
  const feedforward = project("feedforward.down", hidden, F);
  return { attention, middle, norm2, hidden, feedforward, output: add(middle, feedforward) };
}

const finalNorm = ({ config, weights }, x) =>
  layerNorm(x, weights["final_norm.weight"], weights["final_norm.bias"], config.norm_eps);

/**
 * One pass over new ids, after the positions in `cache`, which is extended. Returns the trace:
 * {embedding, layers, final_norm}; `toLogits` makes logits of its last rows.
 */
export function forward(model, ids, cache = newCache(model)) {
  const { config: { d_model: D, n_layers, context_length }, weights } = model;
  if (cache.length + ids.length > context_length) {
    throw new RangeError(
      `${cache.length + ids.length} tokens do not fit into this model's context of ` +
        `${context_length}; shorten the prompt`);
  }
  const embedding = zeros(ids.length * D);
  ids.forEach((id, t) => embedding.set(weights.embedding.subarray(id * D, (id + 1) * D), t * D));
  const layers = [];
  let x = embedding;
  for (let l = 0; l < n_layers; l += 1) {
    layers.push(block(model, l, x, cache));
    x = layers[l].output;
  }
  cache.length += ids.length;
  return { embedding, layers, final_norm: finalNorm(model, x) };
}

/** The logits (n, V) of the last n positions of normed vectors. */
export function toLogits(model, final_norm, n = 1) {
  const D = model.config.d_model;
  return linear(final_norm.subarray(final_norm.length - n * D), model.weights.embedding, null, D);
}

/** The last logits of a pass in which the heads `silent` of block l write nothing. */
export function withoutHeads(model, { embedding, layers }, l, silent) {
  const { n_heads, head_dim } = model.config;
  const heads = layers[l].heads.map((value, i) =>
    (silent.includes(Math.floor(i / head_dim) % n_heads) ? 0 : value));
  return lastLogits(model, l, afterHeads(model, l, l === 0 ? embedding : layers[l - 1].output, heads).output);
}

/** The last logits of a pass in which the units `silent` of block l write nothing. */
export function withoutUnits(model, { layers }, l, silent) {
  const F = model.config.d_ff;
  const quiet = new Set(silent);
  const hidden = layers[l].hidden.map((value, i) => (quiet.has(i % F) ? 0 : value));
  const feedforward = layersOf(model, l).project("feedforward.down", hidden, F);
  return lastLogits(model, l, add(layers[l].middle, feedforward));
}

/** The last logits of a pass whose block l gives x, (T, D): the blocks after it run again. */
function lastLogits(model, l, x) {
  const cache = newCache(model);
  let y = x;
  for (let later = l + 1; later < model.config.n_layers; later += 1) y = block(model, later, y, cache).output;
  return toLogits(model, finalNorm(model, y));
}

/** The hidden vectors (T, D) of a pass before the first block, and after each. */
const streams = ({ embedding, layers }) => [embedding, ...layers.map(({ output }) => output)];

const readAt = (model, x) => toLogits(model, finalNorm(model, x), x.length / model.config.d_model);

/** The logit lens: the logits (T, V) read before the first block of a pass, and after each. */
export const lens = (model, trace) => streams(trace).map((x) => readAt(model, x));

/** The same, each depth but the last through its map: see oneprompt/tuned_lens.py. */
export function tunedLens(model, maps, trace) {
  const { d_model, n_layers } = model.config;
  return streams(trace).map((x, depth) => {
    const [W, b] = ["weight", "bias"].map((kind) => maps[`maps.${depth}.${kind}`]);
    return readAt(model, depth === n_layers ? x : linear(x, W, b, d_model));
  });
}
