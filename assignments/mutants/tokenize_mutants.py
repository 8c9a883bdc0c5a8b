"""Solutions of the assignment on byte pair encoding, and what the tests must say to them."""

from coursework import Mutant

BY_COUNTER = """
from collections import Counter

def count_pairs(words):
    counts = Counter()
    for word, n in words.items():
        counts.update([(word[i], word[i + 1]) for i in range(len(word) - 1)] * n)
    return counts
"""

LOWEST_RANK = """
def encode(text, merges):
    ranks, result = {pair: rank for rank, pair in enumerate(merges)}, []
    for piece in op.tokenize.pre_tokenize(text):
        tokens = [piece.encode()[i : i + 1] for i in range(len(piece.encode()))]
        while True:
            found = [(ranks[pair], i) for i, pair in enumerate(zip(tokens, tokens[1:]))
                     if pair in ranks]
            if not found:
                break
            _, i = min(found)
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
        result.extend(tokens)
    return result
"""

LEFTMOST = LOWEST_RANK.replace("(ranks[pair], i)", "(i, i)")

PASTED_MERGE = """
def train(text, n_merges):
    pieces = Counter(op.tokenize.pre_tokenize(text))
    words = {piece: [bytes([b]) for b in piece.encode()] for piece in pieces}
    merges = []
    while len(merges) < n_merges:
        counts = Counter()
        for piece, tokens in words.items():
            for pair in pairwise(tokens):
                counts[pair] += pieces[piece]
        if not counts:
            break
        ids = {}
        best = min(counts, key=lambda p: (-counts[p], ids[p[0]], ids[p[1]]))
        merges.append(best)
    return merges

from collections import Counter
from itertools import pairwise
"""

LIBRARY = """
def encode(text, merges):
    backend = op.load_tokenizer().backend
    return [op.load_tokenizer().token_bytes(i) for i in backend.encode(text).ids]
"""

WRONG = [
    Mutant("pieces counted once", 12, "counted once per piece",
           {"count_pairs": (".get(pair, 0) + n", ".get(pair, 0) + 1")}),
    Mutant("a pair counted once per piece", 14, "counts twice",
           {"count_pairs": ("zip(word, word[1:])", "set(zip(word, word[1:]))")}),
    Mutant("pairs in the other order", 12, "changed places",
           {"count_pairs": ("zip(word, word[1:])", "zip(word[1:], word)")}),
    Mutant("joined keys", 12, "tuples of two tokens",
           {"count_pairs": ("zip(word, word[1:])", "map(b''.join, zip(word, word[1:]))")}),
    Mutant("ties by the largest", 11, "the largest was taken",
           {"train": ("key=lambda pair: (-counts[pair], pair)",
                      "key=lambda pair: (-counts[pair], tuple(-b for b in b' '.join(pair)))")}),
    Mutant("the rarest pair", 11, "the rarest pair was taken",
           {"train": ("(-counts[pair], pair)", "(counts[pair], pair)")}),
    Mutant("no pieces", 11, "not split into pieces",
           {"train": ("op.tokenize.pre_tokenize(text)", "[text]")}),
    Mutant("pieces of train counted once", 11, "counted once: it counts as often",
           {"train": ("pieces.get(word, 0) + 1", "1")}),
    Mutant("no end when no pair is left", 14, "raised ValueError",
           {"train": ("        if not counts:\n            break\n", "")}),
    Mutant("new tokens instead of pairs", 11, "return the pairs",
           {"train": ("merges.append(best)", "merges.append(b''.join(best))")}),
    Mutant("the leftmost pair first", 11, "the leftmost pair was joined", {"encode": LEFTMOST}),
    Mutant("merges from the last", 11, "from the last to the first",
           {"encode": ("in merges:", "in merges[::-1]:")}),
    Mutant("characters", 14, "start from single bytes",
           {"encode": ("[bytes([b]) for b in piece.encode()]", "[c.encode() for c in piece]")}),
    Mutant("strings", 11, "the tokens are strings",
           {"encode": ("result += tokens",
                       "result += [t.decode(errors='replace') for t in tokens]")}),
    Mutant("no pieces in encode", 11, "not split into pieces",
           {"encode": ("op.tokenize.pre_tokenize(text)", "[text]")}),
    Mutant("single letters by hand", 14, "nothing was joined",
           {"by-hand": "answer = list(given['word'])"}),
    Mutant("a letter lost by hand", 14, "a letter was lost",
           {"by-hand": "answer = [given['word'][1:]]"}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's encoder", 11, "is not available in this assignment",
           {"encode": "def encode(text, merges):\n"
                      "    bpe = op.BytePairEncoding(merges)\n"
                      "    return [bpe.tokens[i] for i in bpe.encode(text)]"}),
    Mutant("the package's merge_pair", 11, "is not available in this assignment",
           {"train": ("tuple(join(word, best))",
                      "tuple(op.tokenize.merge_pair(list(word), best))")}),
    # The library knows only its own merges; there is no torch function for this.
    Mutant("the library's tokenizer", 11, "encode('lowest newer widest'",
           {"encode": LIBRARY}),
    Mutant("the package's training, pasted", 11, "KeyError", {"train": PASTED_MERGE}),
    Mutant("the visible text only", 14, "AssertionError",
           {"train": ("    pieces = {}\n", "    assert text.startswith('low low')\n"
                      "    pieces = {}\n")}),
]  # fmt: skip

RIGHT = [
    Mutant("a Counter", 16, "", {"count_pairs": BY_COUNTER}),
    Mutant("the lowest rank at a time", 16, "", {"encode": LOWEST_RANK}),
]  # fmt: skip
