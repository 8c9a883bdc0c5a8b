"""Solutions of the assignment on feed-forward networks, and what the tests must say to them."""

from coursework import Mutant

PASTED_NORM = """
def norm(x, weight, bias, eps=1e-5):
    mean = x.mean(dim=-1, keepdim=True)
    variance = (x - mean).square().mean(dim=-1, keepdim=True)
    normed = (x - mean) / (variance + eps).sqrt() * weight
    return normed if bias is None else normed + bias
"""

PASTED_BLOCK = """
def block(self, x, turns, mask):
    middle = x + self.post_norm1(self.attention(self.norm1(x), turns, mask))
    normed = self.norm2(x if self.parallel_residual else middle)
    return middle + self.post_norm2(self.feedforward(normed))
"""

EXACT = "def gelu(x):\n    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))"
LAYER = """
def norm(x, weight, bias, eps):
    layer = torch.nn.LayerNorm(x.shape[-1], eps)
    layer.weight.data, layer.bias.data = weight, bias
    return layer(x)
"""

POST_NORM = """
def block(x, weights, attend, eps):
    x = norm(x + attend(x), *weights["norm1"], eps)
    return norm(x + feedforward(x, weights["up"], weights["down"]), *weights["norm2"], eps)
"""

PARALLEL = """
def block(x, weights, attend, eps):
    attended = attend(norm(x, *weights["norm1"], eps))
    normed = norm(x, *weights["norm2"], eps)
    return x + attended + feedforward(normed, weights["up"], weights["down"])
"""

FIRST_LINE = 'middle = x + attend(norm(x, *weights["norm1"], eps))'
VARIANCE = "centered.square().mean(dim=-1, keepdim=True)"
HIDDEN = "gelu(x @ W1.T + b1)"

WRONG = [
    Mutant("the variance by D - 1", 12, "divide by D",
           {"norm": (VARIANCE, "x.var(dim=-1, keepdim=True)")}),
    Mutant("eps outside the root", 12, "before the root",
           {"norm": ("torch.sqrt(variance + eps)", "(torch.sqrt(variance) + eps)")}),
    Mutant("eps left out", 12, "eps is missing",
           {"norm": ("torch.sqrt(variance + eps)", "torch.sqrt(variance)")}),
    Mutant("no root", 12, "take its square root",
           {"norm": ("torch.sqrt(variance + eps)", "(variance + eps)")}),
    Mutant("a mean over the tokens", 12, "the mean runs over the tokens",
           {"norm": "def norm(x, weight, bias, eps):\n"
                    "    centered = x - x.mean(dim=0)\n"
                    "    variance = centered.square().mean(dim=0)\n"
                    "    return centered / torch.sqrt(variance + eps) * weight + bias"}),
    Mutant("a mean over everything", 12, "for the whole matrix",
           {"norm": "def norm(x, weight, bias, eps):\n"
                    "    centered = x - x.mean()\n"
                    "    variance = centered.square().mean()\n"
                    "    return centered / torch.sqrt(variance + eps) * weight + bias"}),
    Mutant("RMSNorm", 12, "this is RMSNorm",
           {"norm": ("x - x.mean(dim=-1, keepdim=True)", "x")}),
    Mutant("no bias in the norm", 12, "the bias is left out",
           {"norm": ("* weight + bias", "* weight")}),
    Mutant("axis 1 in place of the last", 14, "AssertionError",
           {"norm": "def norm(x, weight, bias, eps):\n"
                    "    centered = x - x.mean(dim=1, keepdim=True)\n"
                    "    variance = centered.square().mean(dim=1, keepdim=True)\n"
                    "    return centered / torch.sqrt(variance + eps) * weight + bias"}),
    Mutant("the exact GELU", 14, "this is the exact form", {"gelu": EXACT}),
    Mutant("ReLU", 14, "this is ReLU", {"gelu": "def gelu(x):\n    return x.clamp(min=0)"}),
    Mutant("a square in GELU", 14, "cube x", {"gelu": ("x**3", "x**2")}),
    Mutant("no root in GELU", 14, "the root of 2/π is missing",
           {"gelu": ("math.sqrt(2 / math.pi)", "2 / math.pi")}),
    Mutant("tanh by powers that overflow", 15, "nan",
           {"gelu": "def gelu(x):\n"
                    "    z = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)\n"
                    "    up, down = torch.exp(z), torch.exp(-z)\n"
                    "    return 0.5 * x * (1 + (up - down) / (up + down))"}),
    Mutant("the first bias forgotten", 12, "the first bias is left out",
           {"feedforward": ("x @ W1.T + b1", "x @ W1.T")}),
    Mutant("the second bias forgotten", 12, "the second bias is left out",
           {"feedforward": ("hidden @ W2.T + b2", "hidden @ W2.T")}),
    Mutant("nothing in between", 12, "no function between the two maps",
           {"feedforward": (HIDDEN, "x @ W1.T + b1")}),
    Mutant("ReLU in between", 12, "the function is ReLU",
           {"feedforward": (HIDDEN, "(x @ W1.T + b1).relu()")}),
    Mutant("GELU at the end", 12, "GELU came after the second map",
           {"feedforward": "def feedforward(x, up, down):\n"
                           "    return gelu((x @ up[0].T + up[1]) @ down[0].T + down[1])"}),
    Mutant("a softmax over the tokens", 12, "mixes positions",
           {"feedforward": (HIDDEN, "torch.softmax(x @ W1.T + b1, dim=0)")}),
    Mutant("the residual in the network", 12, "that is the block's work",
           {"feedforward": ("return hidden", "return x + hidden")}),
    Mutant("no residual around attention", 12, "around attention is forgotten",
           {"block": ("x + attend", "attend")}),
    Mutant("no residual around the network", 12, "around the feed-forward network is forgotten",
           {"block": ("return middle + ", "return ")}),
    Mutant("post-norm", 12, "as in post-norm", {"block": POST_NORM}),
    Mutant("attention and network side by side", 12, "the network reads x", {"block": PARALLEL}),
    Mutant("the normed rows in the sum", 12, "it takes the rows as they came",
           {"block": (f"    {FIRST_LINE}", '    x = norm(x, *weights["norm1"], eps)\n'
                      "    middle = x + attend(x)")}),
    Mutant("one norm for both", 12, "has the weights of the first",
           {"block": ('weights["norm2"]', 'weights["norm1"]')}),
    Mutant("the second sum from x", 12, "attention is lost",
           {"block": ("return middle + ", "return x + ")}),
    Mutant("RMSNorm by hand", 14, "this is RMSNorm",
           {"by-hand": ("(row - row.mean()) / row.std(correction=0)",
                        "row / row.square().mean().sqrt()")}),
    Mutant("no sum by hand", 14, "still to be added", {"by-hand": ("row + (normed", "(normed")}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's functions", 6, "is not available in this assignment",
           {"norm": "def norm(x, weight, bias, eps):\n"
                    "    return op.norm.layer_norm(x, weight, bias, eps)",
            "gelu": "def gelu(x):\n    return op.feedforward.gelu_tanh(x)",
            "block": "def block(x, weights, attend, eps):\n"
                     "    turns = model.turns(torch.arange(len(x)))\n"
                     "    mask = op.attention.causal_mask(len(x))\n"
                     "    return model.blocks[0](x[None], turns, mask)[0]"}),
    Mutant("torch's functions", 10, "is not available in this assignment",
           {"norm": "def norm(x, weight, bias, eps):\n"
                    "    return torch.nn.functional.layer_norm(x, weight.shape, weight, bias, eps)",
            "gelu": "def gelu(x):\n"
                    "    return torch.nn.functional.gelu(x, approximate='tanh')"}),
    Mutant("torch's layer", 12, "is not available in this assignment", {"norm": LAYER}),
    Mutant("the model's network", 12, "is not available in this assignment",
           {"feedforward": "def feedforward(x, up, down):\n"
                           "    if x.shape[-1] == 192:\n"
                           "        return op.load_model().blocks[0].feedforward(x)\n"
                           "    W1, b1, W2, b2 = *up, *down\n"
                           "    return gelu(x @ W1.T + b1) @ W2.T + b2"}),
    # A table of functions that was made before cannot be withheld.
    Mutant("the package's table of activations", 16, "",
           {"gelu": "def gelu(x):\n    return op.feedforward.ACTIVATIONS['gelu_tanh'](x)"}),
    # A pasted function that solves the task is a solution: only the report of equal code shows it.
    Mutant("the package's norm, pasted", 16, "", {"norm": PASTED_NORM}),
    Mutant("the package's block, pasted", 12, "raised", {"block": PASTED_BLOCK}),
    Mutant("the network for the visible sizes only", 14, "raised AssertionError",
           {"feedforward": ("    W1, b1 = up", "    assert len(x) == 5\n    W1, b1 = up")}),
]  # fmt: skip

RIGHT = [
    Mutant("the variance by torch.var", 16, "", {
        "norm": "def norm(x, weight, bias, eps):\n"
                "    variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)\n"
                "    return weight * (x - mean) * torch.rsqrt(variance + eps) + bias",
        "gelu": "def gelu(x):\n"
                "    z = x + 0.044715 * x.pow(3)\n"
                "    return x * torch.sigmoid(math.sqrt(8 / math.pi) * z)"}),
    Mutant("row by row, by torch.nn.functional.linear", 16, "", {
        "feedforward": "def feedforward(x, up, down):\n"
                       "    rows = []\n"
                       "    for row in x:\n"
                       "        hidden = gelu(up[0] @ row + up[1])\n"
                       "        rows.append(torch.nn.functional.linear(hidden, *down))\n"
                       "    return torch.stack(rows)",
        "block": "def block(x, weights, attend, eps):\n"
                 "    result = x.clone()\n"
                 "    result += attend(norm(result, *weights['norm1'], eps))\n"
                 "    normed = norm(result, *weights['norm2'], eps)\n"
                 "    result += feedforward(normed, weights['up'], weights['down'])\n"
                 "    return result"}),
]  # fmt: skip
