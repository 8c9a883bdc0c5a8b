"""Solutions of the assignment on attention, and what the tests must say to them."""

from coursework import Mutant

VISIBLE_SIZES_ONLY = """
def scores(q, k):
    assert q.shape == (2, 5, 4) and k.shape == (2, 5, 4)
    return q @ k.transpose(-2, -1) / 2
"""

PASTED_MASK = """
def visible(n_queries, n_keys=None, window=None):
    n_keys = n_queries if n_keys is None else n_keys
    query = torch.arange(n_keys - n_queries, n_keys)[:, None]
    key = torch.arange(n_keys)[None, :]
    visible = key <= query
    return visible if window is None else visible & (key > query - window)
"""

PASTED_ATTENTION = """
def attention_scores(q, k):
    return q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])

def apply_mask(scores, mask):
    if mask is None:
        return scores
    if mask.dtype == torch.bool:
        return scores.masked_fill(~mask, float("-inf"))
    return scores + mask

def attention(q, k, v, mask=None):
    weights = apply_mask(attention_scores(q, k), mask).softmax(dim=-1)
    return weights @ v
"""

BUILT_IN = """
def attention(q, k, v, mask):
    size = len(q) // len(k)
    k, v = k.repeat_interleave(size, dim=0), v.repeat_interleave(size, dim=0)
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, mask)
"""

WRONG = [
    Mutant("no scale", 13, "not divided by √d",
           {"scores": (" / math.sqrt(q.shape[-1])", "")}),
    Mutant("scale by d", 13, "divided by d, and not by its square root",
           {"scores": ("math.sqrt(q.shape[-1])", "q.shape[-1]")}),
    Mutant("the softmax in the scores", 13, "the softmax comes later",
           {"scores": "def scores(q, k):\n    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)"}),
    Mutant("queries start at position 0", 12, "the first of them is at position",
           {"visible": ("torch.arange(n_keys - n_queries, n_keys)", "torch.arange(n_queries)")}),
    Mutant("a query does not see itself", 12, "the diagonal is visible too",
           {"visible": ("key <= query", "key < query")}),
    Mutant("the window one too wide", 14, "one too wide",
           {"visible": ("query - key < window", "query - key <= window")}),
    Mutant("no window", 14, "the window is left out",
           {"visible": (" if window is None else seen & (query - key < window)", "")}),
    Mutant("the mask upside down", 12, "shows the future",
           {"visible": ("key <= query", "key >= query")}),
    Mutant("the mask after the softmax", 12, "came after the softmax",
           {"attention": (".masked_fill(~mask, -math.inf).softmax(dim=-1)",
                          ".softmax(dim=-1) * mask")}),
    Mutant("hidden scores become 0", 12, "became 0",
           {"attention": ("scores(q, k).masked_fill(~mask, -math.inf)",
                          "(scores(q, k) * mask)")}),
    Mutant("True hides", 12, "exchanged: True marks a key",
           {"attention": ("~mask", "mask")}),
    Mutant("the softmax over the queries", 12, "runs over the queries",
           {"attention": ("softmax(dim=-1)", "softmax(dim=-2)")}),
    Mutant("heads take turns", 12, "take turns",
           {"attention": ("k.repeat_interleave(size, dim=0), v.repeat_interleave(size, dim=0)",
                          "k.repeat(size, 1, 1), v.repeat(size, 1, 1)")}),
    Mutant("keys are not turned", 13, "the keys are not turned",
           {"attention_layer": ("turn(k)", "k")}),
    Mutant("values are turned too", 13, "the values were turned too",
           {"attention_layer": ("turn(k), v,", "turn(k), turn(v),")}),
    Mutant("heads joined in the wrong order", 13, "joined in the wrong order",
           {"attention_layer": ("heads.transpose(0, 1).reshape", "heads.reshape")}),
    Mutant("the output map is missing", 13, "output projection is missing",
           {"attention_layer": ('joined @ W["output"] + b["output"]', "joined")}),
    Mutant("by hand without the root", 14, "not divided by √d",
           {"by-hand": "w = [p ** root for p in given['powers']]\n"
                       "answer = sum(a * b for a, b in zip(w, given['values'])) / sum(w)"}),
    Mutant("an object that equals everything", 13, "should be one tensor",
           {"scores": "class Any:\n    def __eq__(self, other):\n        return True\n"
                      "def scores(q, k):\n    return Any()"}),
    Mutant("a tensor that equals everything", 13, "got:",
           {"scores": "class Any(torch.Tensor):\n"
                      "    @classmethod\n"
                      "    def __torch_function__(cls, function, types, args=(), kwargs=None):\n"
                      "        return True\n"
                      "def scores(q, k):\n"
                      "    return torch.zeros(len(q), q.shape[1], k.shape[1]).as_subclass(Any)"}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's functions", 5, "is not available in this assignment",
           {"scores": "def scores(q, k):\n    return op.attention.attention_scores(q, k)",
            "visible": "def visible(*args):\n    return op.attention.causal_mask(*args)",
            "attention": BUILT_IN}),
    Mutant("the package's function as the answer itself", 13, "is not available",
           {"scores": "scores = op.attention.attention_scores"}),
    Mutant("torch's attention", 12, "is not available in this assignment",
           {"attention": BUILT_IN}),
    # A pasted function that solves the task is a solution: only the report of equal code shows it.
    Mutant("the package's mask, pasted", 16, "", {"visible": PASTED_MASK}),
    Mutant("the package's attention, pasted", 12, "raised RuntimeError",
           {"attention": PASTED_ATTENTION}),
    Mutant("scores for the visible sizes only", 15, "AssertionError",
           {"scores": VISIBLE_SIZES_ONLY}),
]  # fmt: skip

RIGHT = [
    Mutant("by einsum and loops", 16, "", {
        "scores": "def scores(q, k):\n"
                  "    return torch.einsum('htd,hsd->hts', q, k) * q.shape[-1] ** -0.5",
        "visible": "def visible(n_queries, n_keys, window=None):\n"
                   "    rows = []\n"
                   "    for t in range(n_keys - n_queries, n_keys):\n"
                   "        first = 0 if window is None else t - window + 1\n"
                   "        rows.append([first <= s <= t for s in range(n_keys)])\n"
                   "    return torch.tensor(rows)",
        "attention": "def attention(q, k, v, mask):\n"
                     "    size = len(q) // len(k)\n"
                     "    heads = []\n"
                     "    for h in range(len(q)):\n"
                     "        g = h // size\n"
                     "        s = q[h] @ k[g].T / math.sqrt(q.shape[-1])\n"
                     "        powers = torch.exp(s - s.max()) * mask\n"
                     "        heads.append(powers / powers.sum(1, keepdim=True) @ v[g])\n"
                     "    return torch.stack(heads)"}),
    Mutant("a mask that is added", 16, "", {
        "attention": "def attention(q, k, v, mask):\n"
                     "    hide = torch.where(mask, 0.0, float('-inf'))\n"
                     "    G, (H, T, d) = len(k), q.shape\n"
                     "    q = q.view(G, H // G, T, d)\n"
                     "    w = torch.softmax(q @ k[:, None].mT / d**0.5 + hide, -1)\n"
                     "    return (w @ v[:, None]).reshape(H, T, d)"}),
]  # fmt: skip
