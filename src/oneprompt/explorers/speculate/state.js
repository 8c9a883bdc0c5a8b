// Computes the traits of a prompt with the model in the page: every pass of the target in
// speculative generations. SpeculationExplorer.compute and state.py do the same.

import { expectedTokens } from "../../js/speculate.js";
import { pauses } from "../kit/frames.js";
import { COMPUTING } from "../kit/notices.js";
import { promptIds } from "../kit/prompt_ids.js";
import {
  MAX_TOKENS, SPECULATE_CANDIDATES, SPECULATE_GAMMAS, SPECULATE_MAX_NEW, SPECULATE_SEEDS,
} from "../shared.js";

/** Four significant digits: enough to draw. */
const short = (number) => Number(number.toPrecision(4));

export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** The distribution at temperature 1, which a greedy model has, too. */
const plain = (lm, logits) => lm.distribution(logits, { temperature: 1, order: [] }).probabilities;

/** [id, p, q, share] of tokens worth showing where the target chooses its own; q may be missing. */
function candidates(lm, { p, q, drawnFrom, rank }, first) {
  const likely = lm.ranking(rank).slice(0, SPECULATE_CANDIDATES).filter((id) => rank[id] > 0);
  return [...new Set([...first, ...likely])].slice(0, SPECULATE_CANDIDATES)
    .sort((a, b) => p[b] - p[a])
    .map((id) => [id, short(p[id]), q ? short(q[id]) : null, short(drawnFrom[id])]);
}

/** What is shown of one pass of `speculate`; state.py explains what a block holds. */
function blockOf(lm, pass, greedy) {
  const { drafted, new: made, accepted: kept, u } = pass;
  const own = made[kept] ?? null; // none where the text ended in a drafted one
  const first = [own, ...drafted.slice(kept, kept + 1)];
  const [p, q] = greedy
    ? [pass.logits, pass.draftLogits].map((rows) => rows.map((row) => plain(lm, row)))
    : [pass.p, pass.q];
  const choice = () => { // only where the target chose: a text may end in a drafted token
    const drawnFrom = pass.q[kept] ? lm.residual(pass.p[kept], pass.q[kept]) : pass.p[kept];
    return { p: p[kept], q: q[kept], drawnFrom, rank: greedy ? p[kept] : drawnFrom };
  };
  return {
    drafted, kept, own,
    q: drafted.map((id, i) => short(q[i][id])),
    p: u.map((_, i) => short(p[i][drafted[i]])),
    u: u.map(short),
    candidates: own === null ? [] : candidates(lm, choice(), first),
  };
}

/** The blocks of one text. Between its passes the page may draw. */
async function blocksOf(lm, ids, temperature, seed, gamma) {
  const blocks = [];
  const passes = lm.speculate(lm.model("reference"), lm.model("draft"), ids, SPECULATE_MAX_NEW,
    { temperature, order: ["temperature"] }, lm.random(seed), gamma, lm.random(-seed));
  const pause = pauses();
  for (const pass of passes) {
    if (pass) blocks.push(blockOf(lm, pass, temperature === 0));
    await pause();
  }
  return blocks;
}

/** The share of examined ids that were kept. */
function acceptanceOf(texts) {
  const blocks = texts.filter(Boolean).flat(2);
  return sum(blocks.map(({ kept }) => kept)) / Math.max(sum(blocks.map(({ u }) => u.length)), 1);
}

/** The block with every id replaced by its index in the list of tokens, which `place` gives. */
const named = (block, place) => ({
  ...block,
  drafted: block.drafted.map(place),
  own: block.own === null ? null : place(block.own),
  candidates: block.candidates.map(([id, ...numbers]) => [place(id), ...numbers]),
});

/** The trait `data` from the texts [greedy, ...seeds], blocks per gamma; null for one to come. */
function dataOf(lm, texts) {
  const places = new Map(); // a new id gets the next place
  const place = (id) => places.set(id, places.get(id) ?? places.size).get(id);
  const acceptance = { greedy: acceptanceOf(texts.slice(0, 1)), sampled: acceptanceOf(texts.slice(1)) };
  const expected = Object.fromEntries(Object.entries(acceptance).map(
    ([mode, share]) => [mode, SPECULATE_GAMMAS.map((gamma) => short(expectedTokens(share, gamma)))]));
  const runs = texts.map((text) => text
    && text.map((blocks) => blocks.map((block) => named(block, place))));
  const tokens = Array.from(places.keys(), lm.tokenizer.text);
  return { runs, acceptance, expected, tokens };
}

/**
 * The text that is shown comes first, and is shown while the others are made. `tell` says how far
 * it is, and the work stops once the reader no longer waits.
 */
export async function compute(lm, text, get, tell) {
  const ids = promptIds(lm.tokenizer, text, MAX_TOKENS);
  const [mode, seed, temperature] = ["mode", "seed", "temperature"].map(get);
  const choices = [[0, 1], ...SPECULATE_SEEDS.map((each) => [temperature, each])];
  const chosen = mode === "sampled" ? seed : 0;
  const order = [chosen, ...choices.keys()].filter((n, i) => i === 0 || n !== chosen);
  const texts = choices.map(() => null);
  let done = 0;
  for (const n of order) {
    const blocks = [];
    for (const gamma of SPECULATE_GAMMAS) {
      const all = choices.length * SPECULATE_GAMMAS.length;
      if (!tell(`Computing … ${done} of ${all} texts`)) return {};
      blocks.push(await blocksOf(lm, ids, ...choices[n], gamma));
      done += 1;
    }
    texts[n] = blocks;
    if (n === chosen) tell(COMPUTING, { data: dataOf(lm, texts), mode, seed, step: 1 });
  }
  return { data: dataOf(lm, texts), step: get("step") }; // the reader may have stepped on
}
