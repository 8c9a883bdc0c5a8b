// The tokenizer in the page: byte pair encoding as oneprompt/tokenize.py defines it.
// A test keeps the ids equal to those of `tokenizers` on thousands of strings.

// White space as Unicode defines it. JavaScript's \s has U+FEFF too, and lacks U+0085.
const SPACE = "\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const PATTERN = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|` +
    `[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`,
  "gu",
);

/** GPT-2's printable stand-in for each byte, in which the vocabulary is written. */
function byteCharacters() {
  let others = 256;
  const printable = (b) => (b > 32 && b < 127) || (b > 160 && b < 173) || b > 173;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : others++));
}

/** Bytes as text; those that are only a part of a character are written as \\xNN. */
function readable(bytes) {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const lengths = [4, 3, 2, 1].filter((n) => i + n <= bytes.length);
    const character = lengths.map((n) => {
      try {
        const decoded = strict.decode(new Uint8Array(bytes.slice(i, i + n)));
        return Array.from(decoded).length === 1 ? [decoded, n] : null;
      } catch {
        return null;
      }
    }).find(Boolean);
    text += character ? character[0] : `\\x${bytes[i].toString(16).padStart(2, "0")}`;
    i += character ? character[1] : 1;
  }
  return text;
}

const CHARACTERS = byteCharacters();
const BYTES = new Map(CHARACTERS.map((character, b) => [character, b]));
const bytesOf = (token) => Array.from(token, (character) => BYTES.get(character));
const inBytes = (piece) => Array.from(new TextEncoder().encode(piece), (b) => CHARACTERS[b]);

/** A token, which is written in stand-ins, as text. */
export const readableToken = (token) => readable(bytesOf(token));

/** The pieces of a text that merges never cross. */
export const piecesOf = (text) => text.match(PATTERN) ?? [];

/** Joins every two neighbors of which `joins(left, right)` is true, from left to right. */
function joinNeighbors(parts, joins) {
  const merged = [];
  for (let i = 0; i < parts.length; i += 1) {
    const both = i + 1 < parts.length && joins(parts[i], parts[i + 1]);
    merged.push(both ? parts[i] + parts[i + 1] : parts[i]);
    if (both) i += 1;
  }
  return merged;
}

/**
 * The rounds of training on pieces, as `rounds` in tokenize.py finds them: first {words}, the pieces
 * as bytes, then per round {pairs, words}: all pairs as {left, right, count} in the order in which
 * training would choose them, and the pieces after joining the first.
 */
export function* trainingRounds(pieces) {
  let words = pieces.map(inBytes);
  const age = new Map([...CHARACTERS].sort().map((character, i) => [character, i]));
  yield { words };
  for (let next = age.size; ; next += 1) {
    const counts = new Map();
    for (const parts of words) {
      parts.slice(1).forEach((right, i) => {
        const pair = counts.get(`${parts[i]} ${right}`) ?? { left: parts[i], right, count: 0 };
        pair.count += 1;
        counts.set(`${parts[i]} ${right}`, pair);
      });
    }
    if (counts.size === 0) return;
    const pairs = [...counts.values()].sort((a, b) => b.count - a.count
      || age.get(a.left) - age.get(b.left) || age.get(a.right) - age.get(b.right));
    const { left, right } = pairs[0];
    words = words.map((parts) => joinNeighbors(parts, (a, b) => a === left && b === right));
    age.set(left + right, next);
    yield { pairs, words };
  }
}

/**
 * A tokenizer from {tokens, merges, eosId}: the tokens by id and the merges, first learned first, as
 * strings of stand-ins, two of them with a space between.
 */
export function makeTokenizer({ tokens, merges, eosId }) {
  const ranks = new Map(merges.map((pair, rank) => [pair, rank]));
  const ids = new Map(tokens.map((token, id) => [token, id]));

  /** The tokens of one piece after each merge, from single bytes to the final tokens. */
  function mergeSteps(piece) {
    const steps = [inBytes(piece)];
    for (;;) {
      const parts = steps.at(-1);
      const rank = (left, right) => ranks.get(`${left} ${right}`) ?? Infinity;
      let best = Infinity; // a loop, as a long piece has more parts than a call takes arguments
      for (let i = 0; i < parts.length; i += 1) best = Math.min(best, rank(parts[i], parts[i + 1]));
      if (best === Infinity) return steps;
      steps.push(joinNeighbors(parts, (left, right) => rank(left, right) === best));
    }
  }

  const idOf = (token) => ids.get(token);
  const tokenBytes = (id) => (id === eosId ? [] : bytesOf(tokens[id]));

  return {
    eosId, pieces: piecesOf, mergeSteps, bytesOf, idOf,
    rankOf: (left, right) => ranks.get(`${left} ${right}`),
    readable: readableToken,
    text: (id) => (id === eosId ? "EOS" : readableToken(tokens[id])),
    encode: (text) => piecesOf(text).flatMap((piece) => mergeSteps(piece).at(-1).map(idOf)),
    decode: (list) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(list.flatMap(tokenBytes))),
  };
}
