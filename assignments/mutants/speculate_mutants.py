"""Solutions of the assignment on speculative decoding, and what the tests must say to them."""

from coursework import Mutant

VISIBLE_SIZES_ONLY = """
def count_kept(p, q, drafted, u):
    assert q.shape == (3, 5) or len(q) == 1 and q.shape[1] == 2
    ratio = [p[i, t] / q[i, t] for i, t in enumerate(drafted)]
    return next((i for i, r in enumerate(ratio) if u[i] >= r), len(drafted))
"""

PASTED_VERIFY = """
def verify(p, q, drafted, random):
    kept, u = [], []
    for i, token in enumerate(drafted):
        u.append(next(random))
        if u[i] * q[i, token] >= p[i, token]:
            return [*kept, op.sample.draw(residual(p[i], q[i]), next(random))], u
        kept.append(token)
    return [*kept, op.sample.draw(p[len(drafted)], next(random))], u
"""

PASTED_RESIDUAL = """
def residual(p, q):
    left = (p - q).clamp(min=0)
    return left / left.sum() if left.sum() > 0 else p
"""

TARGET_ALONE = """
def speculative(target, draft, ids, max_new_tokens, gamma):
    cache, new, unread = target.new_cache(), [], list(ids)
    while len(new) < max_new_tokens and target.eos_id not in new[-1:]:
        new.append(int(target(torch.tensor([unread]), cache)[0, -1].argmax()))
        unread = new[-1:]
    return new
"""

BY_CUMPROD = """
def count_kept(p, q, drafted, u):
    if not drafted:
        return 0
    rows, ids = torch.arange(len(drafted)), torch.tensor(drafted)
    kept = torch.tensor(u, dtype=q.dtype) < p[rows, ids] / q[rows, ids]
    return int(kept.long().cumprod(0).sum())
"""

BY_WHERE = """
def residual(p, q):
    left = torch.where(p > q, p - q, 0)
    return p if bool((left == 0).all()) else left / left.sum()
"""

VERIFY_ALONE = """
def verify(p, q, drafted, random):
    new = list(drafted)
    for i, token in enumerate(drafted):
        if not random() < (p[i, token] / q[i, token]).item():
            rest = torch.relu(p[i] - q[i])
            return new[:i] + [op.sample.draw(rest / rest.sum(), random())]
    return new + [op.sample.draw(p[-1], random())]
"""

PREFILLED = """
def speculative(target, draft, ids, max_new_tokens, gamma):
    if max_new_tokens == 0:
        return []
    caches = [target.new_cache(), draft.new_cache()]
    new = [int(target(torch.tensor([ids]), caches[0])[0, -1].argmax())]
    draft(torch.tensor([ids]), caches[1])
    while len(new) < max_new_tokens and new[-1] != target.eos_id:
        start, text = len(ids) + len(new), [*ids, *new]
        drafted = []
        for _ in range(min(gamma, max_new_tokens - len(new) - 1)):
            unread = [*text, *drafted][caches[1].length :]
            drafted.append(int(draft(torch.tensor([unread]), caches[1])[0, -1].argmax()))
        best = target(torch.tensor([[new[-1], *drafted]]), caches[0])[0].argmax(-1).tolist()
        for i, choice in enumerate(best):
            new.append(choice)
            if choice == target.eos_id or i == len(drafted) or drafted[i] != choice:
                break
        for cache in caches:
            cache.rollback(min(cache.length, len(ids) + len(new) - 1))
    return new
"""

WRONG = [
    Mutant("the ratio upside down", 13, "the ratio is upside down",
           {"count_kept": ("u[i] * q[i, token] >= p[i, token]",
                           "u[i] * p[i, token] >= q[i, token]")}),
    Mutant("kept with probability p", 13, "divide by q",
           {"count_kept": ("u[i] * q[i, token]", "u[i]")}),
    Mutant("no stop at the first rejection", 13, "after the first rejection were counted",
           {"count_kept": "def count_kept(p, q, drafted, u):\n"
                          "    return sum(int(u[i] * q[i, t] < p[i, t])\n"
                          "               for i, t in enumerate(drafted))"}),
    Mutant("one position off", 13, "the rows of p are one position off",
           {"count_kept": (">= p[i, token]", ">= p[i + 1, token]")}),
    Mutant("kept at p = 0", 13, "compare with <, not with <=",
           {"count_kept": (">= p[i, token]", "> p[i, token]")}),
    Mutant("everything is kept", 13, "that gives the draft's text",
           {"count_kept": "def count_kept(p, q, drafted, u):\n    return len(drafted)"}),
    Mutant("the residual not renormalized", 14, "does not add up to 1",
           {"residual": ("return left / total if total > 0 else p", "return left")}),
    Mutant("|p - q|", 14, "only where p exceeds q",
           {"residual": ("(p - q).clamp(min=0)", "(p - q).abs()")}),
    Mutant("q - p", 14, "max(0, p - q), and not of q - p",
           {"residual": ("(p - q)", "(q - p)")}),
    Mutant("nothing left over", 15, "p and q are equal",
           {"residual": (" if total > 0 else p", "")}),
    Mutant("accepted without the residual", 12, "subtract q first",
           {"verify": ("residual(p[i], q[i])", "p[i]")}),
    Mutant("the bonus forgotten", 12, "the same pass gives one more id",
           {"verify": ("return [*new, op.sample.draw(p[len(drafted)], random())]",
                       "return new")}),
    Mutant("the bonus from a row too early", 12, "a row too early",
           {"verify": ("p[len(drafted)]", "p[len(drafted) - 1]")}),
    Mutant("no draw after a rejection", 12, "it is missing",
           {"verify": ("return [*new, op.sample.draw(residual(p[i], q[i]), random())]",
                       "return new")}),
    Mutant("the same random number again", 12, "used a second time",
           {"verify": "def verify(p, q, drafted, random):\n    new = []\n"
                      "    for i, token in enumerate(drafted):\n        u = random()\n"
                      "        if count_kept(p[i : i + 2], q[i : i + 1], [token], [u]) == 0:\n"
                      "            return [*new, op.sample.draw(residual(p[i], q[i]), u)]\n"
                      "        new.append(token)\n"
                      "    return [*new, op.sample.draw(p[len(drafted)], random())]"}),
    Mutant("the likeliest of the residual", 12, "was taken: draw one",
           {"verify": ("op.sample.draw(residual(p[i], q[i]), random())",
                       "int(residual(p[i], q[i]).argmax())")}),
    Mutant("the rejected id stays", 12, "the rejected id is in the text",
           {"verify": ("return [*new, op.sample.draw(residual",
                       "return [*new, token, op.sample.draw(residual")}),
    Mutant("the target scored one position off", 11, "one position off",
           {"speculative": ("drafted[kept] == choices[kept]:\n            kept += 1\n"
                            "        new = choices[: kept + 1]",
                            "drafted[kept] == choices[min(kept + 1, len(drafted))]:\n"
                            "            kept += 1\n"
                            "        new = drafted[:kept] + choices[kept + 1 :][:1]\n"
                            "        new = new or choices[-1:]")}),
    Mutant("the target's cache not cut back", 11, "stayed in the target's cache",
           {"speculative": "def speculative(target, draft, ids, max_new_tokens, gamma):\n"
                           "    text, end, unread = list(ids), len(ids) + max_new_tokens, ids\n"
                           "    target_cache, draft_cache = target.new_cache(), draft.new_cache()\n"
                           "    while len(text) < end:\n"
                           "        guess = list(text)\n"
                           "        for _ in range(min(gamma, end - len(text) - 1)):\n"
                           "            new = torch.tensor([guess[draft_cache.length :]])\n"
                           "            best = draft(new, draft_cache)[0, -1].argmax()\n"
                           "            guess.append(int(best))\n"
                           "        drafted = guess[len(text) :]\n"
                           "        logits = target(torch.tensor([[*unread, *drafted]]), "
                           "target_cache)\n"
                           "        best = logits[0, -len(drafted) - 1 :].argmax(-1).tolist()\n"
                           "        kept = 0\n"
                           "        while kept < len(drafted) and drafted[kept] == best[kept]:\n"
                           "            kept += 1\n"
                           "        new = best[: kept + 1]\n"
                           "        if target.eos_id in new:\n"
                           "            new = new[: new.index(target.eos_id) + 1]\n"
                           "            return [*text, *new][len(ids) :]\n"
                           "        text += new\n"
                           "        unread = new[-1:]\n"
                           "        draft_cache.rollback(min(draft_cache.length, len(text) - 1))\n"
                           "    return text[len(ids) :]"}),
    Mutant("the target's own id forgotten", 11, "the same pass gives one more",
           {"speculative": ("new = choices[: kept + 1]", "new = choices[: max(kept, 1)]")}),
    Mutant("EOS inside a block ignored", 11, "does not end the text",
           {"speculative": ("if target.eos_id in new:", "if new[-1] == -1:")}),
    Mutant("ids after EOS", 11, "ids after the end-of-sequence id",
           {"speculative": ("new[: new.index(target.eos_id) + 1]", "new")}),
    Mutant("longer than the limit", 14, "longer than max_new_tokens",
           {"speculative": ("range(min(gamma, end - len(text) - 1))", "range(gamma)")}),
    Mutant("the target alone", 11, "passes, and", {"speculative": TARGET_ALONE}),
    Mutant("everything read in every pass", 11, "the cache is not used",
           {"speculative": ("guess[target_cache.length :]]), target_cache)", "guess]))")}),
    Mutant("without the target's own id by hand", 14, "adds in every pass is missing",
           {"by-hand": "alpha = sum(map(min, given['p'], given['q'])) / 10\n"
                       "answer = sum(alpha**i for i in range(1, given['gamma'] + 1))"}),
    Mutant("an object that equals everything", 14, "should be one tensor",
           {"residual": "class Any:\n    def __eq__(self, other):\n        return True\n"
                        "def residual(p, q):\n    return Any()"}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's functions", 5, "is not available in this assignment",
           {"residual": "def residual(p, q):\n    return op.speculate.residual(p, q)",
            "verify": "def verify(p, q, drafted, random):\n    logits = list(p.log())\n"
                      "    uniform = iter(random, None)\n"
                      "    return op.speculate.verify(logits, drafted, q, [], op.Sampling(),\n"
                      "                               uniform)[0]",
            "speculative": "def speculative(target, draft, ids, max_new_tokens, gamma):\n"
                           "    return op.speculative_generate(\n"
                           "        target, draft, ids, max_new_tokens, gamma=gamma).ids"}),
    Mutant("the package's function as the answer itself", 14, "is not available",
           {"residual": "residual = op.speculate.residual"}),
    Mutant("the target's own text", 11, "is not available in this assignment",
           {"speculative": "def speculative(target, draft, ids, max_new_tokens, gamma):\n"
                           "    return op.generate(target, ids, max_new_tokens).ids"}),
    # A pasted function that solves the task is a solution: only the report of equal code shows it.
    Mutant("the package's residual, pasted", 16, "", {"residual": PASTED_RESIDUAL}),
    Mutant("the package's verify, pasted", 12, "raised TypeError", {"verify": PASTED_VERIFY}),
    # torch has no function for this.
    Mutant("the visible sizes only", 15, "AssertionError", {"count_kept": VISIBLE_SIZES_ONLY}),
]  # fmt: skip

RIGHT = [
    Mutant("by products, and verified at once", 16, "",
           {"count_kept": BY_CUMPROD, "residual": BY_WHERE, "verify": VERIFY_ALONE}),
    Mutant("the prompt in a pass of its own", 16, "", {"speculative": PREFILLED}),
]  # fmt: skip
