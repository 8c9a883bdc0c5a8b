"""Solutions of the assignment on logits, and what the tests must say to them."""

from coursework import Mutant

PASTED_CROSS_ENTROPY = """
def loss(logits, targets):
    if (targets == -100).all():
        raise ValueError("every target is -100, so no position is left to take the mean of")
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=-100)

import torch.nn.functional as F
"""

PASTED_LOGPROB = """
def log_probabilities(logits):
    logits = logits.double()
    return logits - logits.logsumexp(dim=-1, keepdim=True)
"""

PASTED_PERPLEXITY = """
def perplexity(logits, ids):
    value = loss(logits[:-1], ids[1:])
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
"""

BY_MEANS = """
def loss(logits, targets):
    total, n = 0.0, 0
    for row, target in zip(logits, targets.tolist()):
        if target != -100:
            total -= log_probabilities(row)[target].item()
            n += 1
    return total / n
"""

BY_WEIGHTS = """
def loss(logits, targets):
    counts = (targets != -100).float()
    log_p = log_probabilities(logits).gather(-1, targets.clamp(min=0)[:, None])[:, 0]
    return -(log_p * counts).sum() / counts.sum()
"""

ALL_ROWS = "logits[:-1], ids[1:]"
SHIFTED = "shifted - shifted.exp().sum(dim=-1, keepdim=True).log()"
LARGEST = "logits.amax(dim=-1, keepdim=True)"
MEAN = "-log_p[torch.arange(len(log_p)), targets[counts]].mean()"

WRONG = [
    Mutant("the final norm forgotten", 13, "the final norm is forgotten",
           {"next_logits": ("norm(x[-1])", "x[-1]")}),
    Mutant("the first position", 13, "this is the first position",
           {"next_logits": ("x[-1]", "x[0]")}),
    Mutant("the last position but one", 13, "the last position but one",
           {"next_logits": ("x[-1]", "x[-2]")}),
    Mutant("all positions", 13, "only the last one is asked for",
           {"next_logits": ("table @ norm(x[-1])", "norm(x) @ table.T")}),
    Mutant("the mean of the positions", 13, "the positions were averaged",
           {"next_logits": ("x[-1]", "x.mean(dim=0)")}),
    Mutant("a softmax over the positions", 12, "runs over the positions",
           {"log_probabilities": "def log_probabilities(logits):\n"
                                 "    shifted = logits - logits.amax(dim=0)\n"
                                 "    return shifted - shifted.exp().sum(dim=0).log()"}),
    Mutant("no largest logit subtracted", 14, "subtract the row's largest logit first",
           {"log_probabilities": (f"logits - {LARGEST}", "logits")}),
    Mutant("the largest of all rows", 14, "each row has its own",
           {"log_probabilities": (LARGEST, "logits.max()")}),
    Mutant("the logarithm of a quotient", 14, "was 0 before its logarithm",
           {"log_probabilities": (SHIFTED, "(shifted.exp() / shifted.exp().sum(dim=-1, "
                                  "keepdim=True)).log()")}),
    Mutant("bits", 12, "these are bits",
           {"log_probabilities": (SHIFTED, f"({SHIFTED}) / math.log(2)")}),
    Mutant("probabilities", 12, "take the logarithm",
           {"log_probabilities": (SHIFTED, f"({SHIFTED}).exp()")}),
    Mutant("no sum", 12, "the logarithm of the sum is missing",
           {"log_probabilities": (SHIFTED, "shifted")}),
    Mutant("a small number added before the logarithm", 14, "a small number was added",
           {"log_probabilities": (SHIFTED, "(shifted.exp() / shifted.exp().sum(dim=-1, "
                                  "keepdim=True) + 1e-9).log()")}),
    Mutant("the largest logit in the sum only", 12, "subtracted in the sum only",
           {"log_probabilities": (f"return {SHIFTED}",
                                  "return logits - shifted.exp().sum(-1, keepdim=True).log()")}),
    Mutant("padding in the number of positions", 12, "positions that are left out do not count",
           {"loss": (MEAN, "-log_p[torch.arange(len(log_p)), targets[counts]].sum() "
                     "/ len(targets)")}),
    Mutant("padding read as an index", 12, "an index from the end",
           {"loss": ("targets != -100", "targets == targets")}),
    Mutant("padding read as token 0", 12, "read as token 0",
           {"loss": "def loss(logits, targets):\n"
                    "    log_p = log_probabilities(logits)\n"
                    "    return -log_p[torch.arange(len(targets)), targets.clamp(min=0)].mean()"}),
    Mutant("the sum", 12, "this is the sum",
           {"loss": ("targets[counts]].mean()", "targets[counts]].sum()")}),
    Mutant("a positive logarithm", 12, "the sign is missing", {"loss": (MEAN, MEAN[1:])}),
    Mutant("the mean of the probabilities", 12, "the mean came before the logarithm",
           {"loss": (MEAN, MEAN.replace(".mean()", ".exp().mean().log()"))}),
    Mutant("the mean of all tokens", 12, "all tokens were averaged",
           {"loss": (MEAN, "-log_p.mean()")}),
    Mutant("targets shifted again", 12, "shifted once more",
           {"loss": (MEAN, "-log_p[torch.arange(len(log_p) - 1), targets[counts][1:]].mean()")}),
    Mutant("no shift", 13, "row t was compared with token t:",
           {"perplexity": (ALL_ROWS, "logits, ids")}),
    Mutant("the shift the other way", 13, "compared with token t - 1",
           {"perplexity": (ALL_ROWS, "logits[1:], ids[:-1]")}),
    Mutant("the last row around the corner", 13, "compared with the first token",
           {"perplexity": (ALL_ROWS, "logits, ids.roll(-1)")}),
    Mutant("e to the sum", 13, "this is e to the sum",
           {"perplexity": (f"loss({ALL_ROWS})", f"loss({ALL_ROWS}) * (len(ids) - 1)")}),
    Mutant("divided by T", 13, "there are T - 1 predictions",
           {"perplexity": (f"loss({ALL_ROWS})", f"loss({ALL_ROWS}) * (len(ids) - 1) / len(ids)")}),
    Mutant("2 to the loss in nats", 13, "the base of the power is e",
           {"perplexity": (f"math.exp(loss({ALL_ROWS}))", f"2 ** loss({ALL_ROWS})")}),
    Mutant("the loss itself", 13, "this is the loss: take the power",
           {"perplexity": (f"math.exp(loss({ALL_ROWS}))", f"loss({ALL_ROWS})")}),
    Mutant("the mean of the perplexities", 13, "the perplexities were averaged",
           {"perplexity": "def perplexity(logits, ids):\n"
                          "    log_p = log_probabilities(logits[:-1])\n"
                          "    p = log_p[torch.arange(len(ids) - 1), ids[1:]].exp()\n"
                          "    return (1 / p).mean()"}),
    Mutant("logits divided by hand", 14, "take the power of e first",
           {"by-hand": "x = [given['shared'] + math.log(p) for p in given['powers']]\n"
                       "answer = [a / sum(x) for a in x]"}),
    Mutant("powers by hand", 14, "do not add up to one",
           {"by-hand": ('power / sum(given["powers"])', "power")}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's functions", 2, "is not available in this assignment",
           {"next_logits": "def next_logits(x, norm, table):\n"
                           "    return op.logits.to_logits(norm(x), table)[-1]",
            "log_probabilities": "def log_probabilities(logits):\n"
                                 "    return op.probabilities(logits, op.Sampling()).log()",
            "loss": "def loss(logits, targets):\n"
                    "    return op.logits.cross_entropy(logits, targets)",
            "perplexity": "def perplexity(logits, ids):\n"
                          "    return op.logits.perplexity(loss(logits[:-1], ids[1:]))"}),
    Mutant("torch's functions", 8, "is not available in this assignment",
           {"log_probabilities": "def log_probabilities(logits):\n"
                                 "    return logits.log_softmax(dim=-1)",
            "loss": "def loss(logits, targets):\n"
                    "    return torch.nn.functional.cross_entropy(logits, targets)"}),
    Mutant("torch's layers", 8, "is not available in this assignment",
           {"log_probabilities": "log_probabilities = torch.nn.LogSoftmax(dim=-1)",
            "loss": "loss = torch.nn.CrossEntropyLoss()"}),
    Mutant("the traced logits, looked up", 13, "the shape is",
           {"next_logits": "def next_logits(x, norm, table):\n    return trace.logits[0, -1]"}),
    Mutant("the package's sources, pasted", 8, "is not available in this assignment",
           {"log_probabilities": PASTED_LOGPROB, "loss": PASTED_CROSS_ENTROPY}),
    # A pasted function that solves the task is a solution: only the report of equal code shows it.
    Mutant("the package's perplexity, pasted", 16, "", {"perplexity": PASTED_PERPLEXITY}),
    Mutant("the visible sizes only", 14, "raised AssertionError",
           {"loss": ("    counts =", "    assert logits.shape == (6, 128)\n    counts =")}),
]  # fmt: skip

RIGHT = [
    Mutant("loops and plain numbers", 16, "", {
        "next_logits": "def next_logits(x, norm, table):\n"
                       "    last = norm(x)[-1]\n"
                       "    return torch.stack([(row * last).sum() for row in table])",
        "log_probabilities": "def log_probabilities(logits):\n"
                             "    largest = logits.max(dim=-1, keepdim=True).values\n"
                             "    powers = (logits - largest).exp().sum(dim=-1, keepdim=True)\n"
                             "    return logits - (largest + powers.log())",
        "loss": BY_MEANS,
        "perplexity": "def perplexity(logits, ids):\n"
                      "    return torch.as_tensor(loss(logits[:-1], ids[1:])).exp()"}),
    Mutant("weights of 0 and 1, and a product of probabilities", 16, "", {
        "loss": BY_WEIGHTS,
        "perplexity": "def perplexity(logits, ids):\n"
                      "    log_p = log_probabilities(logits.double())\n"
                      "    n, product = len(ids) - 1, 1.0\n"
                      "    for t in range(n):\n"
                      "        product *= log_p[t, ids[t + 1]].exp().item() ** (-1 / n)\n"
                      "    return product"}),
]  # fmt: skip
