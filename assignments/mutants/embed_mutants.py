"""Solutions of the assignment on embeddings, and what the tests must say to them."""

from coursework import Mutant

ASSIGNED = """
def table_gradient(ids, upstream, vocab_size):
    grad = torch.zeros(vocab_size, upstream.shape[1])
    grad[ids] += upstream
    return grad
"""

PASTED_NEAREST = """
def analogy(table, token_id, b, c, k):
    cosines = (table @ table[token_id]) / (table.norm(dim=1) * table[token_id].norm())
    ranking = cosines.argsort(descending=True, stable=True)
    ids = ranking[ranking != token_id][:k]
    return ids
"""

PASTED_CHECK = """
def one_hot(ids, vocab_size):
    check_ids(ids, vocab_size)
    return torch.eye(vocab_size)[ids]

def check_ids(ids, vocab_size):
    if ids.dtype not in (torch.int64, torch.int32):
        raise TypeError("token ids must be integers")
    lowest, highest = int(ids.min()), int(ids.max())
    if lowest < 0 or highest >= vocab_size:
        raise ValueError("an id is outside the vocabulary")
"""

UNCHECKED = "def one_hot(ids, vocab_size):\n    return torch.eye(vocab_size)[ids]"

WRONG = [
    Mutant("no check of the ids", 12, "nothing checks the ids",
           {"one_hot": "def one_hot(ids, vocab_size):\n"
                       "    return (ids[..., None] == torch.arange(vocab_size)).float()"}),
    Mutant("negative ids pass", 12, "[0, -1]", {"one_hot": UNCHECKED}),
    Mutant("the vectors added up", 12, "were added up",
           {"one_hot": (".float()", ".float().sum(-2)")}),
    Mutant("integers", 12, "floating-point numbers", {"one_hot": (".float()", ".long()")}),
    Mutant("the id in its place", 12, "holds the id, and should hold 1",
           {"one_hot": (".float()", ".float() * ids[..., None]")}),
    Mutant("one place too far", 12, "too far right",
           {"one_hot": ("ids[..., None] ==", "ids[..., None] + 1 ==")}),
    Mutant("a row per text only", 14, "raised RuntimeError",
           {"one_hot": ("ids[..., None] ==", "ids[:, None] ==")}),
    Mutant("a repeated token counts once", 11, "its last place only",
           {"table_gradient": ASSIGNED}),
    Mutant("the mean of a token's gradients", 11, "they add up",
           {"table_gradient": ("one_hot(ids, vocab_size).T @ upstream",
                               "(one_hot(ids, vocab_size).T @ upstream) "
                               "/ one_hot(ids, vocab_size).sum(0).clamp(min=1)[:, None]")}),
    Mutant("divided by T", 11, "divided by T",
           {"table_gradient": ("@ upstream", "@ upstream / len(ids)")}),
    Mutant("a row per position", 11, "a row per position",
           {"table_gradient": ("one_hot(ids, vocab_size).T @ upstream",
                               "(one_hot(ids, vocab_size).T @ upstream)[ids]")}),
    Mutant("the given rows stay in", 11, "leave them out",
           {"analogy": ("i not in (a, b, c)", "True")}),
    Mutant("by the dot product", 11, "favors long rows",
           {"analogy": (" / (table.norm(dim=1) * target.norm())", "")}),
    Mutant("a and b exchanged", 11, "a and b are exchanged",
           {"analogy": ("table[b] - table[a]", "table[a] - table[b]")}),
    Mutant("the least similar first", 11, "point the other way",
           {"analogy": ("descending=True", "descending=False")}),
    Mutant("by distance", 11, "compares directions",
           {"analogy": ("table @ target / (table.norm(dim=1) * target.norm())",
                        "-(table - target).norm(dim=1)")}),
    Mutant("the dot product by hand", 14, "divide it by both lengths",
           {"by-hand": ("/ (first.norm() * second.norm())", "")}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's functions", 7, "is not available in this assignment",
           {"one_hot": "def one_hot(ids, vocab_size):\n"
                       "    return op.embed.embed(ids, torch.eye(vocab_size))",
            "analogy": "def analogy(table, a, b, c, k):\n"
                       "    return op.embed.nearest(table, a, k)[0]"}),
    Mutant("torch's one_hot", 12, "is not available in this assignment",
           {"one_hot": "def one_hot(ids, vocab_size):\n"
                       "    return torch.nn.functional.one_hot(ids, vocab_size).float()"}),
    Mutant("the package's search, pasted", 11, "expected", {"analogy": PASTED_NEAREST}),
    # Pasted code that solves the task is a solution: only the report of equal code shows it.
    Mutant("the package's check, pasted", 16, "", {"one_hot": PASTED_CHECK}),
    Mutant("the visible sizes only", 14, "raised RuntimeError",
           {"table_gradient": "def table_gradient(ids, upstream, vocab_size):\n"
                              "    grad = torch.zeros(6, 3)\n"
                              "    return grad.index_add(0, ids, upstream)"}),
]  # fmt: skip

RIGHT = [
    Mutant("a loop and a scatter", 16, "", {
        "one_hot": "def one_hot(ids, vocab_size):\n"
                   "    if ((ids < 0) | (ids >= vocab_size)).any():\n"
                   "        raise ValueError('no such id')\n"
                   "    hot = torch.zeros(*ids.shape, vocab_size, dtype=torch.float64)\n"
                   "    return hot.scatter(-1, ids[..., None], 1.0)",
        "table_gradient": "def table_gradient(ids, upstream, vocab_size):\n"
                          "    grad = torch.zeros(vocab_size, upstream.shape[1])\n"
                          "    for t, i in enumerate(ids.tolist()):\n"
                          "        grad[i] += upstream[t]\n"
                          "    return grad"}),
    Mutant("index_add and topk", 16, "", {
        "table_gradient": "def table_gradient(ids, upstream, vocab_size):\n"
                          "    grad = torch.zeros(vocab_size, upstream.shape[1])\n"
                          "    return grad.index_add(0, ids, upstream)",
        "analogy": "def analogy(table, a, b, c, k):\n"
                   "    unit = table / table.norm(dim=1, keepdim=True)\n"
                   "    cosines = unit @ (table[b] - table[a] + table[c])\n"
                   "    cosines[[a, b, c]] = -float('inf')\n"
                   "    return cosines.topk(k).indices"}),
]  # fmt: skip
