// The state of the speculation explorer, by the model in the page: every pass of the target in
// speculative generations. passes.py does the same in a notebook, and explains what a block holds.

import { expectedTokens } from "../../js/speculate.js";
import { steps } from "../kit/controls.js";
import { pauses } from "../kit/frames.js";
import { MAX_TOKENS } from "../shared.js";

export const GAMMAS = steps(1, 10, 1);

export const SEEDS = [1, 2, 3];

const MAX_NEW_TOKENS = 48;

export const CANDIDATES = 4;

/** Four significant digits: enough to draw. */
const short = (number) => Number(number.toPrecision(4));

export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** [id, p, q, share] of tokens worth showing where the target chooses its own; q may be missing. */
function candidates(lm, p, q, first) {
  const drawnFrom = q ? lm.residual(p, q) : p;
  const likely = lm.ranking(drawnFrom).slice(0, CANDIDATES).filter((id) => drawnFrom[id] > 0);
  return [...new Set([...first, ...likely])].slice(0, CANDIDATES).sort((a, b) => p[b] - p[a])
    .map((id) => [id, short(p[id]), q ? short(q[id]) : null, short(drawnFrom[id])]);
}

/** What one pass of `speculate` did; `uniform` gives once more the numbers that it used. */
function blockOf(lm, { drafted, kept: added, accepted: kept, p, q }, uniform) {
  const own = added[kept] ?? null; // none where the text ended in a drafted one
  const examined = drafted.slice(0, kept + (own === null ? 0 : 1));
  const block = {
    drafted, kept, own,
    q: drafted.map((id, i) => short(q[i][id])),
    p: examined.map((id, i) => short(p[i][id])),
    u: examined.map(() => short(uniform())),
    candidates: [],
  };
  if (own === null) return block;
  uniform();
  const first = [own, ...drafted.slice(kept, kept + 1)];
  return { ...block, candidates: candidates(lm, p[kept], q[kept], first) };
}

/** The blocks of one text. Between its passes the page may draw. */
async function blocksOf(lm, ids, temperature, seed, gamma) {
  const blocks = [];
  const again = lm.random(seed);
  const passes = lm.speculate(lm.model("reference"), lm.model("draft"), ids, MAX_NEW_TOKENS,
    { temperature, order: ["temperature"] }, lm.random(seed), gamma, lm.random(-seed));
  const pause = pauses();
  for (const pass of passes) {
    if (pass) blocks.push(blockOf(lm, pass, again));
    await pause();
  }
  return blocks;
}

/** The share of examined ids that were kept. */
function acceptanceOf(runs) {
  const blocks = runs.flat(2);
  return sum(blocks.map(({ kept }) => kept)) / Math.max(sum(blocks.map(({ u }) => u.length)), 1);
}

/** The block with places in place of ids: `place` knows them. */
const named = (block, place) => ({
  ...block,
  drafted: block.drafted.map(place),
  own: block.own === null ? null : place(block.own),
  candidates: block.candidates.map(([id, ...numbers]) => [place(id), ...numbers]),
});

/** The trait `generated` from the texts: [greedy, ...seeds], of each the blocks per gamma. */
function generatedFrom(lm, texts) {
  const places = new Map(); // a new id gets the next place
  const place = (id) => places.set(id, places.get(id) ?? places.size).get(id);
  const acceptance = { greedy: acceptanceOf(texts.slice(0, 1)), sampled: acceptanceOf(texts.slice(1)) };
  const expected = Object.fromEntries(Object.entries(acceptance).map(
    ([mode, share]) => [mode, GAMMAS.map((gamma) => short(expectedTokens(share, gamma)))]));
  const runs = texts.map((text) => text.map((blocks) => blocks.map((block) => named(block, place))));
  const tokens = Array.from(places.keys(), lm.tokenizer.text);
  return { runs, acceptance, expected, tokens };
}

/** The traits of a prompt; `tell` shows how far it is and says whether the reader still waits. */
export async function generationsInPage(lm, text, get, tell) {
  const ids = lm.promptIds(lm.tokenizer, text, MAX_TOKENS);
  const choices = [[0, 1], ...SEEDS.map((seed) => [get("temperature"), seed])];
  const texts = choices.map(() => []);
  for (const [i, choice] of choices.entries()) {
    for (const gamma of GAMMAS) {
      const done = i * GAMMAS.length + gamma - 1;
      if (!tell(`Computing … ${done} of ${choices.length * GAMMAS.length} texts`)) return {};
      texts[i].push(await blocksOf(lm, ids, ...choice, gamma));
    }
  }
  return { generated: generatedFrom(lm, texts), step: 1 };
}
