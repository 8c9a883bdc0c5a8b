// A prompt that a reader typed, as ids: what cannot be shown is refused, as in prompts.py.

import { EMPTY_PROMPT, HALF_CHARACTER, MAX_CHARACTERS, TOO_LONG } from "../shared.js";
import { integer } from "./numbers.js";

/** The error for n tokens or characters where at most `most` fit. */
export const tooLong = (n, things, most) => new RangeError(TOO_LONG
  .replace("{n}", integer(n)).replace("{things}", things).replace("{most}", integer(most)));

/** Refuses an empty, long or broken text, before any work that grows with its length. */
export function checkPrompt(text) {
  if (text === "") throw new RangeError(EMPTY_PROMPT);
  const characters = Array.from(text).length; // as Python counts them
  if (characters > MAX_CHARACTERS) throw tooLong(characters, "characters", MAX_CHARACTERS);
  if (/\p{Cs}/u.test(text)) throw new RangeError(HALF_CHARACTER);
}

/** The ids of a prompt, at most `most` of them. */
export function promptIds(tokenizer, text, most) {
  checkPrompt(text);
  const ids = tokenizer.encode(text);
  if (ids.length > most) throw tooLong(ids.length, "tokens", most);
  return ids;
}
