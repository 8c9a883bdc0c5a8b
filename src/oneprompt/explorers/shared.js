// The constants that Python and JavaScript share, written once: JSON values, a line each.
// Python reads them through shared.py.

export const MAX_TOKENS = 24; // of a prompt with a row or column per token, to fit a phone
