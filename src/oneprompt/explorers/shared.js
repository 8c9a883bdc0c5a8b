// The constants that Python and JavaScript share, written once: JSON values, a line each.
// Python reads them through shared.py.

export const MAX_TOKENS = 24; // of a prompt with a row or column per token, to fit a phone
export const MAX_CHARACTERS = 1000; // of any prompt: counted before work that grows with its length

export const EMPTY_PROMPT = "The prompt is empty: type a question.";
export const HALF_CHARACTER = "The prompt has a lone surrogate (half a character): remove it.";
export const TOO_LONG = "The prompt has {n} {things}, and at most {most} fit here: shorten it.";
