// Learns from a text as MergesExplorer.compute does. It needs no model.

import { piecesOf, readableToken, trainingRounds } from "../../js/tokenize.js";
import { checkPrompt, tooLong } from "../kit/prompt_ids.js";
import { MERGES_MAX_CHARACTERS, MERGES_MAX_ROUNDS, MERGES_PAIRS } from "../shared.js";

export function compute(lm, text) {
  checkPrompt(text);
  const characters = Array.from(text).length;
  if (characters > MERGES_MAX_CHARACTERS) {
    throw tooLong(characters, "characters", MERGES_MAX_CHARACTERS);
  }
  const readable = (words) => words.map((tokens) => tokens.map(readableToken));
  const [rounds, training] = [[], trainingRounds(piecesOf(text))];
  const start = readable(training.next().value.words);
  for (const { pairs, words } of training) {
    if (pairs[0].count < 2 || rounds.length === MERGES_MAX_ROUNDS) break;
    rounds.push({
      pairs: pairs.slice(0, MERGES_PAIRS).map(({ left, right, count }) =>
        [readableToken(left), readableToken(right), count]),
      tokens: readable(words),
    });
  }
  return { data: { start, rounds }, step: 0 };
}
