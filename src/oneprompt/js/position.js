// The arithmetic of the position schemes, as in oneprompt/position.py. A test keeps the two equal.

export const angleAt = (position, frequency) => position * frequency; // in radians

export const wavelength = (frequency) => (2 * Math.PI) / frequency; // positions per whole turn

/** What sinusoidal positions add to the embeddings, (N, D). */
export const sinusoidal = (N, D) => Array.from({ length: N }, (_, t) =>
  Array.from({ length: D }, (_, n) => {
    const angle = angleAt(t, 10_000 ** (-2 * Math.floor(n / 2) / D));
    return n % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  }));

export const turn = ([a, b], angle) => [
  a * Math.cos(angle) - b * Math.sin(angle),
  a * Math.sin(angle) + b * Math.cos(angle),
];

export const PAIRINGS = ["halves", "interleaved"];

/** The two coordinates that RoPE turns together as pair i. */
export const pairCoordinates = (i, pairs, pairing) =>
  pairing === "halves" ? [i, i + pairs] : [2 * i, 2 * i + 1];

export const alibiShift = (slope, distance) => -slope * distance;

/** The cosine and sine of RoPE's angle for every position and pair. */
export function ropeTurns({ context_length, head_dim, rope_theta }) {
  const pairs = head_dim / 2;
  const angle = (t, i) => t * Math.fround(rope_theta ** (-(2 * i) / head_dim));
  const table = (f) =>
    Float32Array.from({ length: context_length * pairs }, (_, n) =>
      f(Math.fround(angle(Math.floor(n / pairs), n % pairs))));
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** Turn every head's pairs (i, i + d/2) in place, for positions from `start` on. */
export function rotate(x, { cos, sin }, start, width, d) {
  for (let row = 0; row < x.length; row += d) {
    const angle = (start + Math.floor(row / width)) * (d / 2);
    for (let i = 0; i < d / 2; i += 1) {
      const [a, b] = [x[row + i], x[row + i + d / 2]];
      x[row + i] = a * cos[angle + i] - b * sin[angle + i];
      x[row + i + d / 2] = a * sin[angle + i] + b * cos[angle + i];
    }
  }
}
