"""Solutions of the assignment on sampling, and what the tests must say to them."""

from coursework import Mutant

VISIBLE_SIZES_ONLY = """
def distribution(logits, temperature):
    assert len(logits) == 4
    powers = [2.718281828459045 ** (x / temperature) for x in logits.tolist()]
    return torch.tensor(powers) / sum(powers)
"""

BY_LOOPS = """
def distribution(logits, temperature):
    if temperature == 0:
        best = max(range(len(logits)), key=lambda i: (logits[i].item(), -i))
        return torch.tensor([float(i == best) for i in range(len(logits))])
    scaled = logits / temperature
    return (scaled - torch.logsumexp(scaled, 0)).exp()
"""

KEEP_BY_LOOPS = """
def keep(probability, top_k=None, top_p=None, min_p=None):
    p = dict(enumerate(probability.tolist()))
    V = len(p)

    def ranked():
        return sorted(p, key=lambda i: (-p[i], i))

    def restrict(ids):
        total = sum(p[i] for i in ids)
        return {i: p[i] / total for i in ids}

    if top_k is not None:
        p = restrict(ranked()[:top_k])
    if top_p is not None:
        ids, total = [], 0.0
        for i in ranked():
            ids.append(i)
            total += p[i]
            if total >= top_p:
                break
        p = restrict(ids)
    if min_p is not None:
        p = restrict([i for i in p if p[i] >= min_p * max(p.values())])
    return torch.tensor([p.get(i, 0.0) for i in range(V)])
"""

DRAW_BY_LOOP = """
def draw(probability, u):
    running, last = 0.0, 0
    for token, p in enumerate(probability.tolist()):
        if p > 0:
            running, last = running + p, token
            if u < running:
                return token
    return last
"""

DRAW_BY_SEARCH = """
def draw(probability, u):
    kept = probability.nonzero()[:, 0]
    C = probability[kept].cumsum(0)
    place = torch.searchsorted(C, torch.tensor(u, dtype=C.dtype), right=True)
    return int(kept[min(int(place), len(kept) - 1)])
"""

SAMPLE_BY_RANDOM = """
def sample(logits, n, seed, temperature=1.0, **filters):
    from random import Random
    random, p = Random(seed), keep(distribution(logits, temperature), **filters)
    return [draw(p, random.random()) for _ in range(n)]
"""

SAMPLE_BY_CHOICES = """
def sample(logits, n, seed, temperature=1.0, **filters):
    import numpy
    p = keep(distribution(logits, temperature), **filters).numpy()
    return numpy.random.default_rng(seed).choice(len(p), size=n, p=p / p.sum()).tolist()
"""

PASTED_DRAW = """
import math

def draw(probability, uniform):
    cumulative = probability.cumsum(dim=-1)
    total = cumulative[-1].item()
    if not 0 <= uniform < 1:
        raise ValueError(f"the uniform number must be in [0, 1), got {uniform}")
    if not total > 0:
        raise ValueError(f"the probabilities must add up to 1, got {total}")
    target = min(uniform * total, math.nextafter(total, 0.0))
    return int(torch.searchsorted(cumulative, target, right=True))
"""

PASTED_PROBABILITIES = """
def distribution(logits, sampling, history=None):
    logits = logits.double()
    if not torch.isfinite(logits.amax(dim=-1)).all():
        raise ValueError("the logits hold NaN, +inf, or nothing but -inf")
    greedy = sampling.temperature == 0
    for name in sampling.order:
        setting = getattr(sampling, name)
        if name == "temperature" and not greedy:
            logits = logits / setting
    if greedy:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(dim=-1, keepdim=True), 1.0)
    return logits.softmax(dim=-1)
"""

WRONG = [
    Mutant("the temperature after the exponential", 13, "before the exponential",
           {"distribution": "def distribution(logits, temperature):\n"
                            "    powers = (logits - logits.max()).exp() / temperature\n"
                            "    return powers / powers.sum()"}),
    Mutant("probabilities divided by the temperature", 13, "came after the exponential",
           {"distribution": "def distribution(logits, temperature):\n"
                            "    powers = (logits - logits.max()).exp()\n"
                            "    return powers / powers.sum() / temperature"}),
    Mutant("multiplied by the temperature", 13, "multiplied by the temperature",
           {"distribution": ("scaled = logits / temperature", "scaled = logits * temperature")}),
    Mutant("not divided by the sum", 13, "not divided by their sum",
           {"distribution": ("return powers / powers.sum()", "return powers")}),
    Mutant("overflow", 15, "the exponential overflowed",
           {"distribution": ("(scaled - scaled.max()).exp()", "scaled.exp()")}),
    Mutant("greedy shares among equals", 15, "equal logits share",
           {"distribution": ("        result[logits.argmax()] = 1.0\n        return result",
                             "        result[logits == logits.max()] = 1.0\n"
                             "        return result / result.sum()")}),
    Mutant("top-k keeps all ties", 14, "more than k tokens stayed",
           {"keep": ("only(probability, order[:top_k])",
                     "only(probability, probability >= probability[order[:top_k]].min())")}),
    Mutant("top-k keeps the higher ids", 14, "the higher ids stayed",
           {"keep": ("        order = probability.argsort(descending=True, stable=True)\n"
                     "        probability = only(probability, order[:top_k])",
                     "        order = probability.argsort(stable=True).flip(0)\n"
                     "        probability = only(probability, order[:top_k])")}),
    Mutant("top-p drops the crossing token", 11, "the token that crosses p was cut",
           {"keep": ("before < top_p", "(before + probability[order] < top_p) | (before <= 0)")}),
    Mutant("top-p keeps one too many", 11, "one token too many was kept by top-p",
           {"keep": ("order[before < top_p]", "order[: int((before < top_p).sum()) + 1]")}),
    Mutant("top-p by ids", 11, "the running sum of top-p went by the ids",
           {"keep": ("        order = probability.argsort(descending=True, stable=True)\n"
                     "        before", "        order = torch.arange(len(probability))\n"
                     "        before")}),
    Mutant("min-p against 1", 11, "min-p was taken as a share of 1",
           {"keep": ("min_p * probability.max()", "min_p")}),
    Mutant("min-p drops the border", 14, "is kept",
           {"keep": ("probability >= min_p", "probability > min_p")}),
    Mutant("not renormalized", 11, "does not add up to 1",
           {"keep": ("return result / result.sum()", "return result")}),
    Mutant("renormalized at the end only", 14, "saw the probabilities of the start",
           {"keep": "def keep(probability, top_k=None, top_p=None, min_p=None):\n"
                    "    kept = torch.ones_like(probability, dtype=torch.bool)\n"
                    "    order = probability.argsort(descending=True, stable=True)\n"
                    "    if top_k is not None:\n"
                    "        kept[order[top_k:]] = False\n"
                    "    if top_p is not None:\n"
                    "        before = probability[order].cumsum(0) - probability[order]\n"
                    "        kept[order[before >= top_p]] = False\n"
                    "    if min_p is not None:\n"
                    "        kept &= probability >= min_p * probability.max()\n"
                    "    return probability * kept / (probability * kept).sum()"}),
    Mutant("in the order of ranks", 11, "in the order of their rank",
           {"keep": ("    return probability\n", "    return probability.sort(descending=True)[0]\n"
                     )}),
    Mutant("argmax instead of a draw", 13, "that is no draw",
           {"draw": "def draw(probability, u):\n    return int(probability.argmax())"}),
    Mutant("a bias at the border", 13, "at the border of two slices",
           {"draw": ("<= u", "< u")}),
    Mutant("no end above the rounded sum", 15, "rounding left the sum below 1",
           {"draw": ("min(ended, last)", "ended")}),
    Mutant("the last token without probability", 15, "a token of probability 0 was drawn",
           {"draw": ("int(probability.nonzero().max())", "len(probability) - 1")}),
    Mutant("slices by rank", 13, "the order of the ids, and not of the ranks",
           {"draw": "def draw(probability, u):\n"
                    "    p, ids = probability.sort(descending=True, stable=True)\n"
                    "    return int(ids[min(int((p.cumsum(0) <= u).sum()), len(ids) - 1)])"}),
    Mutant("filters before the temperature", 13, "the filters came before the temperature",
           {"sample": ("keep(distribution(logits, temperature), **filters)",
                       "distribution(keep(distribution(logits, 1.0), **filters).log(), temperature)"
                       )}),
    Mutant("no filters", 13, "the filters were not used",
           {"sample": ("keep(distribution(logits, temperature), **filters)",
                       "distribution(logits, temperature)")}),
    Mutant("one random number for all", 13, "each needs its own",
           {"sample": ("[draw(probability, u) for u in uniforms.tolist()]",
                       "[draw(probability, uniforms[0].item())] * n")}),
    Mutant("not from the seed", 13, "do not come from the seed",
           {"sample": ("torch.rand(n, generator=random, dtype=torch.float64)",
                       "torch.rand(n, dtype=torch.float64)")}),
    Mutant("a wrong random number", 13, "does not follow the distribution",
           {"sample": ("for u in uniforms.tolist()", "for u in (uniforms**1.2).tolist()")}),
    Mutant("the wrong way by hand", 14, "the power is 1 / temperature",
           {"by-hand": "powers = [n ** given['temperature'] for n in given['shares']]\n"
                       "answer = [power / sum(powers) for power in powers]"}),
    Mutant("an object that equals everything", 13, "should be one tensor",
           {"distribution": "class Any:\n    def __eq__(self, other):\n        return True\n"
                            "def distribution(logits, temperature):\n    return Any()"}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's functions", 2, "is not available in this assignment",
           {"distribution": "def distribution(logits, temperature):\n"
                            "    return op.probabilities(logits, op.Sampling(temperature))",
            "keep": "def keep(probability, **filters):\n"
                    "    return op.probabilities(probability.log(), op.Sampling(**filters))",
            "draw": "def draw(probability, u):\n    return op.sample.draw(probability, u)",
            "sample": "def sample(logits, n, seed, temperature=1.0, **filters):\n"
                      "    p = op.probabilities(logits, op.Sampling(temperature, **filters))\n"
                      "    return p.multinomial(n, replacement=True).tolist()"}),
    Mutant("the package's function as the answer itself", 13, "is not available",
           {"draw": "draw = op.sample.draw"}),
    Mutant("torch's softmax", 13, "is not available in this assignment",
           {"distribution": "def distribution(logits, temperature):\n"
                            "    return (logits / temperature).softmax(-1)"}),
    # A pasted function that solves the task is a solution: only the report of equal code shows it.
    Mutant("the package's draw, pasted", 16, "", {"draw": PASTED_DRAW}),
    Mutant("the package's probabilities, pasted", 13, "raised AttributeError",
           {"distribution": PASTED_PROBABILITIES}),
    Mutant("the visible sizes only", 15, "AssertionError", {"distribution": VISIBLE_SIZES_ONLY}),
]  # fmt: skip

RIGHT = [
    Mutant("by loops", 16, "",
           {"distribution": BY_LOOPS, "keep": KEEP_BY_LOOPS, "draw": DRAW_BY_LOOP,
            "sample": SAMPLE_BY_RANDOM}),
    Mutant("by searching, and numpy's choice", 16, "",
           {"draw": DRAW_BY_SEARCH, "sample": SAMPLE_BY_CHOICES}),
]  # fmt: skip
