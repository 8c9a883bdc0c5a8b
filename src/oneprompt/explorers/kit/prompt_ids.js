// A prompt that a reader typed, as ids: what cannot be shown is refused in words.

/** The ids of a prompt that a reader typed; an error that says what to do where there can be none. */
export function promptIds(tokenizer, text, most) {
  if (text === "") throw new RangeError("The prompt is empty: type a question.");
  if (/\p{Cs}/u.test(text)) {
    throw new RangeError("The prompt has a lone surrogate (half a character): remove it.");
  }
  const ids = tokenizer.encode(text);
  if (ids.length > most) {
    throw new RangeError(
      `The prompt has ${ids.length.toLocaleString("en-US")} tokens, and at most ${most} fit here: ` +
        "shorten it.");
  }
  return ids;
}
