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

/**
 * A tokenizer from {tokens, merges, eosId}: the tokens by id and the merges, first learned first, as
 * strings of stand-ins, two of them with a space between.
 */
export function makeTokenizer({ tokens, merges, eosId }) {
  const characters = byteCharacters();
  const bytes = new Map(characters.map((character, b) => [character, b]));
  const ranks = new Map(merges.map((pair, rank) => [pair, rank]));
  const ids = new Map(tokens.map((token, id) => [token, id]));

  /** The tokens of one piece after each merge, from single bytes to the final tokens. */
  function mergeSteps(piece) {
    const steps = [Array.from(new TextEncoder().encode(piece), (b) => characters[b])];
    for (;;) {
      const parts = steps.at(-1);
      const rank = (i) => ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
      let best = Infinity; // a loop, as a long piece has more parts than a call takes arguments
      for (let i = 0; i < parts.length; i += 1) best = Math.min(best, rank(i));
      if (best === Infinity) return steps;
      const merged = [];
      for (let i = 0; i < parts.length; i += 1) {
        const joins = i + 1 < parts.length && rank(i) === best;
        merged.push(joins ? parts[i] + parts[i + 1] : parts[i]);
        if (joins) i += 1;
      }
      steps.push(merged);
    }
  }

  const bytesOf = (token) => Array.from(token, (character) => bytes.get(character));
  const idOf = (token) => ids.get(token);
  const tokenBytes = (id) => (id === eosId ? [] : bytesOf(tokens[id]));
  const pieces = (text) => text.match(PATTERN) ?? [];

  return {
    eosId, pieces, mergeSteps, bytesOf, idOf,
    rankOf: (left, right) => ranks.get(`${left} ${right}`),
    readable: (token) => readable(bytesOf(token)),
    text: (id) => (id === eosId ? "EOS" : readable(bytesOf(tokens[id]))),
    encode: (text) => pieces(text).flatMap((piece) => mergeSteps(piece).at(-1).map(idOf)),
    decode: (list) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(list.flatMap(tokenBytes))),
  };
}
