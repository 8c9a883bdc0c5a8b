// The constants that Python and JavaScript share, written once: JSON values, a line each.
// Python reads them through shared.py.

export const MAX_TOKENS = 24; // of a prompt with a row or column per token, to fit a phone
export const MAX_CHARACTERS = 1000; // of any prompt: counted before work that grows with its length

export const EMPTY_PROMPT = "The prompt is empty: type a question.";
export const HALF_CHARACTER = "The prompt has a lone surrogate (half a character): remove it.";
export const TOO_LONG = "The prompt has {n} {things}, and at most {most} fit here: shorten it.";

// Several explorers: small numbers in a state are one digit each, which keeps it short.
export const DIGIT_BASE = 36;

// The tokenize explorer.
export const TOKENIZE_MAX_TOKENS = 256; // of a prompt: the reference model's context
export const TOKENIZE_FEWEST = 257; // entries of a vocabulary without merges: EOS and the bytes
export const TOKENIZE_PAIRS = 4; // that can be joined, listed per step

// The explorer of merges.
export const MERGES_MAX_CHARACTERS = 300; // of a text to learn from
export const MERGES_MAX_ROUNDS = 100;
export const MERGES_PAIRS = 6; // most frequent pairs, listed per round

// The embed explorer.
export const EMBED_NEIGHBORS = 8; // nearest rows of a token
export const EMBED_SHADES = 17; // of color on each side of zero: with zero, fewer than DIGIT_BASE

// The position explorer.
export const POSITION_LEAST_TOKENS = 3; // of a prompt: query and key are the two before its last
export const POSITION_TOO_SHORT = "The prompt has {n} of the {least} tokens that are needed: lengthen it.";

// The attention explorer.
export const ATTENTION_TOP = 3; // likeliest next tokens, with and without some heads

// The feed-forward explorer.
export const FEEDFORWARD_TOP = 5; // units listed by what they write
export const FEEDFORWARD_PLACES = 3; // of the glossary, where a unit is most active
export const FEEDFORWARD_BEFORE = 4; // tokens shown before such a place
export const FEEDFORWARD_NEXT = 3; // likeliest next tokens, with and without some units

// The logits explorer.
export const LOGITS_TOP = 10; // tokens listed per row of logits
export const LOGITS_FOLLOWED = 4; // of the model's own first choices that can be followed
export const LOGITS_LARGEST_SHIFT = 100; // that is added to all logits of a row

// The generation explorer.
export const AUTOREGRESS_MAX_NEW = 40; // new ids, a row of the pictures each

// The sampling explorer.
export const SAMPLE_ROWS = 12; // of its table, besides the row for all other tokens
export const SAMPLE_ENGINES = ["transformers", "vLLM", "llama.cpp"];
export const SAMPLE_ORDERS = [["repetition_penalty", "temperature", "top_k", "top_p", "min_p"], ["repetition_penalty", "temperature", "min_p", "top_k", "top_p"], ["repetition_penalty", "top_k", "top_p", "min_p", "temperature"]];
export const SAMPLE_STARTS = [{"temperature": 1, "top_k": 50, "top_p": 1, "min_p": 0, "repetition_penalty": 1}, {"temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0, "repetition_penalty": 1}, {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repetition_penalty": 1}];

// The speculation explorer.
export const SPECULATE_GAMMAS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
export const SPECULATE_SEEDS = [1, 2, 3];
export const SPECULATE_MAX_NEW = 48; // new ids of a text
export const SPECULATE_CANDIDATES = 4; // tokens shown where the target chooses one of its own

// The playground.
export const PLAYGROUND_MAX_TOKENS = 48; // of a prompt: more strips and map rows cannot be read
export const PLAYGROUND_MAX_NEW = 80; // new ids of an answer
export const PLAYGROUND_HANDS = 3; // of the clocks: the fastest pairs of RoPE
export const PLAYGROUND_GAMMA = 5;
export const PLAYGROUND_SHOWN = 8; // of the most likely next tokens
export const PLAYGROUND_SETTINGS = ["temperature", "top_k", "top_p", "seed"]; // of an answer

// The explorer of serving.
export const SCALE_BITS = [16, 8, 4]; // per weight
export const SCALE_GAMMAS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
