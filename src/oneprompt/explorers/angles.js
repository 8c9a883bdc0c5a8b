// The position schemes' arithmetic, as oneprompt/position.py defines it. A test holds both equal.

const angleAt = (position, frequency) => position * frequency; // in radians

const wavelength = (frequency) => (2 * Math.PI) / frequency; // positions per whole turn

const turn = ([a, b], angle) => [
  a * Math.cos(angle) - b * Math.sin(angle),
  a * Math.sin(angle) + b * Math.cos(angle),
];

/** The two coordinates that RoPE turns together as pair i. */
const pairCoordinates = (i, pairs, pairing) =>
  pairing === "halves" ? [i, i + pairs] : [2 * i, 2 * i + 1];

const alibiShift = (slope, distance) => -slope * distance;
