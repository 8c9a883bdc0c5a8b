// The position schemes' arithmetic, as oneprompt/position.py defines it. A test holds both equal.

const angleAt = (position, frequency) => position * frequency; // in radians

const wavelength = (frequency) => (2 * Math.PI) / frequency; // positions per whole turn

/** What sinusoidal positions add to the embeddings, (N, D). */
const sinusoidal = (N, D) => Array.from({ length: N }, (_, t) =>
  Array.from({ length: D }, (_, n) => {
    const angle = angleAt(t, 10_000 ** (-2 * Math.floor(n / 2) / D));
    return n % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  }));

const turn = ([a, b], angle) => [
  a * Math.cos(angle) - b * Math.sin(angle),
  a * Math.sin(angle) + b * Math.cos(angle),
];

const PAIRINGS = ["halves", "interleaved"];

/** The two coordinates that RoPE turns together as pair i. */
const pairCoordinates = (i, pairs, pairing) =>
  pairing === "halves" ? [i, i + pairs] : [2 * i, 2 * i + 1];

const alibiShift = (slope, distance) => -slope * distance;
