"""Solutions of the final project, and what the tests must say to them."""

from coursework import Mutant

WITHOUT_A_CACHE = """
def generate(model, ids, max_new_tokens, temperature, top_p, random, eos_id):
    weights, sizes = model
    new = []
    while len(new) < max_new_tokens and new[-1:] != [eos_id]:
        logits = forward(weights, sizes, [*ids, *new], [None] * sizes["n_layers"])[-1]
        new.append(op.sample.draw(distribution(logits, temperature, top_p), random()))
    return new
"""

TARGET_ALONE = """
def speculative(target, draft, ids, max_new_tokens, gamma, temperature, top_p, random, eos_id):
    return generate(target, ids, max_new_tokens, temperature, top_p, random, eos_id)
"""

WITHOUT_A_TARGET_CACHE = ("guess[length(target_cache) :], target_cache)",
                          'guess, [None] * target[1]["n_layers"])')  # fmt: skip

TORCH_ATTENTION = ("""        scores = q @ k.transpose(1, 2) / math.sqrt(d)
        heads = scores.masked_fill(~seen, -math.inf).softmax(dim=-1) @ v
""", """        heads = F.scaled_dot_product_attention(q, k, v, seen)
""")  # fmt: skip

BY_HAND = """
def forward(weights, sizes, ids, cache):
    x = weights["embedding"][ids]
    for layer, past in enumerate(cache):
        x, cache[layer] = block(weights, sizes, f"blocks.{layer}.", x, past)
    x = normed(x, weights["final_norm.weight"], weights["final_norm.bias"], sizes["norm_eps"])
    return torch.einsum("td,vd->tv", x, weights["embedding"])

def normed(x, weight, bias, eps):
    x = x - x.mean(-1, keepdim=True)
    return x / (x.square().mean(-1, keepdim=True) + eps) ** 0.5 * weight + bias

def gelu(x):
    return 0.5 * x * (1 + torch.tanh((2 / math.pi) ** 0.5 * (x + 0.044715 * x**3)))

def block(weights, sizes, name, x, past):
    def part(of):
        return {key.removeprefix(name + of): w for key, w in weights.items()
                if key.startswith(name + of)}

    H, d, eps = sizes["n_heads"], sizes["head_dim"], sizes["norm_eps"]
    norm, maps, outer = part("norm1."), part("attention."), part("feedforward.")
    y = normed(x, norm["weight"], norm["bias"], eps)
    start = past[0].shape[1] if past else 0
    q, k, v = (F.linear(y, maps[n + ".weight"], maps[n + ".bias"]).reshape(len(x), H, d)
               for n in ("query", "key", "value"))
    turns = [turning(start + t, d, sizes["rope_theta"]) for t in range(len(x))]
    q, k = (torch.stack([row @ turn for row, turn in zip(rows, turns)], 1) for rows in (q, k))
    v = v.transpose(0, 1)
    if past:
        k, v = torch.cat((past[0], k), 1), torch.cat((past[1], v), 1)
    rows = []
    for t in range(len(x)):
        scores = (k[:, : start + t + 1] @ q[:, t, :, None])[..., 0] / d**0.5
        rows.append((scores.softmax(-1)[:, None] @ v[:, : start + t + 1])[:, 0].flatten())
    x = x + F.linear(torch.stack(rows), maps["output.weight"], maps["output.bias"])
    norm = part("norm2.")
    y = normed(x, norm["weight"], norm["bias"], eps)
    wide = gelu(F.linear(y, outer["up.weight"], outer["up.bias"]))
    return x + F.linear(wide, outer["down.weight"], outer["down.bias"]), (k, v)

def turning(position, d, theta):
    matrix = torch.zeros(d, d)
    for i in range(d // 2):
        angle, j = position * theta ** (-2 * i / d), i + d // 2
        matrix[i, i] = matrix[j, j] = math.cos(angle)
        matrix[i, j], matrix[j, i] = math.sin(angle), -math.sin(angle)
    return matrix
"""

SORTED_DISTRIBUTION = """
def distribution(logits, temperature, top_p=1.0):
    if temperature == 0:
        return F.one_hot(logits.argmax(), len(logits)).to(logits.dtype)
    p = torch.exp(logits / temperature - torch.logsumexp(logits / temperature, 0))
    result, total = torch.zeros_like(p), 0.0
    for i in sorted(range(len(p)), key=lambda i: (-p[i].item(), i)):
        if total >= top_p:
            break
        result[i], total = p[i], total + p[i].item()
    return result / result.sum()
"""

PREFILLED = """
def generate(model, ids, max_new_tokens, temperature, top_p, random, eos_id):
    new = []
    if max_new_tokens:
        cache = [None] * model[1]["n_layers"]
        row = forward(*model, ids, cache)[-1]
        for _ in range(max_new_tokens - 1):
            new.append(op.sample.draw(distribution(row, temperature, top_p), random()))
            if new[-1] == eos_id:
                return new
            row = forward(*model, [new[-1]], cache)[0]
        new.append(op.sample.draw(distribution(row, temperature, top_p), random()))
    return new
"""

PASTED_DISTRIBUTION = """
def distribution(logits, temperature, top_p=1.0):
    sampling = op.Sampling(temperature, top_p=top_p)
    if temperature == 0:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(dim=-1, keepdim=True), 1.0)
    logits = logits.double() / sampling.temperature
    if top_p == 1:
        return logits.softmax(dim=-1)
    before = logits.softmax(dim=-1).sort(descending=True).values.cumsum(dim=-1).roll(1)
    before[0] = float("-inf")
    count = (before < top_p - 1e-7).sum()
    largest = logits.topk(int(count)).values
    return logits.masked_fill(logits < largest[-1], float("-inf")).softmax(dim=-1)
"""

PASTED_PASS = """
def forward(weights, sizes, ids, cache=None, last=None):
    start = 0 if cache is None else cache.length
    positions = self.positions(ids, start)
    x = self.embed(ids, positions)
    for layer, (turns, mask) in enumerate(self.views(positions, start + len(ids))):
        x = self.blocks[layer](x, turns, mask, cache, layer)
    return self.final_norm(x) @ self.output_table.T
"""

WRONG = [
    Mutant("positions restart at 0", 18, "the positions start at 0 in every call",
           {"forward": ('turned(q, S, sizes["rope_theta"]), turned(k, S, sizes["rope_theta"])',
                        'turned(q, 0, sizes["rope_theta"]), turned(k, 0, sizes["rope_theta"])')}),
    Mutant("no positions", 18, "RoPE is missing",
           {"forward": ('        q, k = turned(q, S, sizes["rope_theta"]), '
                        'turned(k, S, sizes["rope_theta"])\n', "")}),
    Mutant("neighbors form pairs", 18, "the wrong numbers form pairs",
           {"forward": ("    a, b = x.chunk(2, dim=-1)\n    cos, sin = angles.cos(), angles.sin()\n"
                        "    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)",
                        "    a, b = x[..., ::2], x[..., 1::2]\n"
                        "    cos, sin = angles.cos(), angles.sin()\n"
                        "    pairs = a * cos - b * sin, a * sin + b * cos\n"
                        "    return torch.stack(pairs, dim=-1).flatten(-2)")}),
    Mutant("the mask ignores the cache", 18, "shifted by what the cache holds",
           {"forward": (".tril(S)", ".tril()")}),
    Mutant("no mask", 18, "nothing hides later positions",
           {"forward": (".masked_fill(~seen, -math.inf)", "")}),
    Mutant("the last norm missing", 18, "the last norm",
           {"forward": ('norm("final_norm", x)', "x")}),
    Mutant("the other GELU", 18, "another GELU",
           {"forward": ('F.gelu(wide, approximate="tanh")', "F.gelu(wide)")}),
    Mutant("no residual connections", 18, "has to be added",
           {"forward": ('x = x + linear(f"{block}.attention.output", joined)',
                        'x = linear(f"{block}.attention.output", joined)')}),
    Mutant("the temperature after the exponential", 23, "before the exponential",
           {"distribution": ("(logits / temperature).softmax(dim=-1)",
                             "logits.softmax(dim=-1) / temperature\n    p = p / p.sum()")}),
    Mutant("top-p drops the crossing token", 23, "the token that crosses p was cut",
           {"distribution": ("p[order].cumsum(dim=0) - p[order] < top_p",
                             "(p[order].cumsum(dim=0) < top_p) | (order == order[0])")}),
    Mutant("top-p before the temperature", 23, "top-p came before the temperature",
           {"distribution": "def distribution(logits, temperature, top_p=1.0):\n"
                            "    result = torch.full_like(logits, -math.inf)\n"
                            "    if temperature == 0:\n"
                            "        result[logits.argmax()] = 0.0\n"
                            "        return result.exp()\n"
                            "    p = logits.softmax(dim=-1)\n"
                            "    order = p.argsort(descending=True, stable=True)\n"
                            "    kept = order[p[order].cumsum(0) - p[order] < top_p]\n"
                            "    result[kept] = logits[kept]\n"
                            "    return (result / temperature).softmax(-1)"}),
    Mutant("not renormalized", 23, "does not add up to 1",
           {"distribution": ("return result / result.sum()", "return result")}),
    Mutant("temperature 0 divides", 25, "temperature 0 divides by 0",
           {"distribution": ("if temperature == 0:", "if False:")}),
    Mutant("no cache", 21, "the cache is not used", {"generate": WITHOUT_A_CACHE}),
    Mutant("the whole text into the cache", 21, "generate for 'What is machine learning?'",
           {"generate": ("unread = new[-1:]", "unread = [*ids, *new]")}),
    Mutant("EOS ignored", 21, "does not end the text",
           {"generate": (" and new[-1:] != [eos_id]", "")}),
    Mutant("EOS dropped", 21, "an end-of-sequence id is one of the new ids",
           {"generate": ("    return new", "    return new[:-1] if eos_id in new else new")}),
    Mutant("the prompt in front", 21, "the prompt is in front",
           {"generate": ("    return new", "    return [*ids, *new]")}),
    Mutant("the limit off by one", 24, "longer than max_new_tokens",
           {"generate": ("len(new) < max_new_tokens", "len(new) <= max_new_tokens")}),
    Mutant("argmax instead of a draw", 21, "the ids differ from number",
           {"generate": ("op.sample.draw(distribution(logits, temperature, top_p), random())",
                         "int(logits.argmax())")}),
    Mutant("accepted without the residual", 18, "subtract q first",
           {"speculative": ("(p[i] - q[i]).clamp(min=0)", "p[i]")}),
    Mutant("the ratio upside down", 18, "the ratio is upside down",
           {"speculative": ("random() * q[i][token] >= p[i][token]",
                            "random() * p[i][token] >= q[i][token]")}),
    Mutant("everything is kept", 18, "that gives the draft's text",
           {"speculative": ("if random() * q[i][token] >= p[i][token]:",
                            "if random() < 0:")}),
    Mutant("the bonus forgotten", 18, "the same pass gives one more id",
           {"speculative": ("return [*drafted, op.sample.draw(p[-1], random())]",
                            "return drafted or [op.sample.draw(p[-1], random())]")}),
    Mutant("EOS inside a block ignored", 18, "does not end the text",
           {"speculative": ("if eos_id in new:", "if new == []:")}),
    Mutant("the caches not cut back", 18, "raised",
           {"speculative": ("            cut(cache, len(text) - 1)\n", "            pass\n")}),
    Mutant("too much drafted", 18, "longer than max_new_tokens",
           {"speculative": ("range(min(gamma, end - len(text) - 1))", "range(gamma)")}),
    Mutant("the target alone", 18, "the text of the target alone", {"speculative": TARGET_ALONE}),
    Mutant("no cache for the target", 18, "the cache is not used",
           {"speculative": WITHOUT_A_TARGET_CACHE}),
    Mutant("the draft is free by hand", 24, "the draft takes time as well",
           {"by-hand": "answer = sum(given['alpha'] ** i for i in range(given['gamma'] + 1))"}),
    Mutant("an object that equals everything", 23, "should be one tensor",
           {"distribution": "class Any:\n    def __eq__(self, other):\n        return True\n"
                            "def distribution(*given):\n    return Any()"}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's functions", 2, "is not available in this assignment",
           {"forward": "def forward(weights, sizes, ids, cache):\n"
                       "    return op.load_model('reference')(torch.tensor([ids]))[0]",
            "distribution": "def distribution(logits, temperature, top_p=1.0):\n"
                            "    return op.probabilities(logits, op.Sampling(temperature, "
                            "top_p=top_p))",
            "generate": "def generate(model, ids, n, temperature, top_p, random, eos_id):\n"
                        "    return op.generate(model, ids, n).ids",
            "speculative": "def speculative(target, draft, ids, n, gamma, *settings):\n"
                           "    return op.speculative_generate(target, draft, ids, n).ids"}),
    Mutant("a Transformer of the package", 18, "is not available in this assignment",
           {"forward": "def forward(weights, sizes, ids, cache):\n"
                       "    model = op.Transformer(op.ModelConfig(vocab_size=2048, d_model=192,\n"
                       "                                          n_layers=6, n_heads=6))\n"
                       "    model.load_state_dict(weights)\n"
                       "    return model(torch.tensor([ids]))[0]"}),
    Mutant("the tests' own pass", 18, "is not available in this assignment",
           {"forward": "from oneprompt.checks.coursework import shipped as own\n"
                       "def forward(*given):\n    return own.forward(*given)"}),
    # Torch's parts are allowed here, and a pasted function that solves the task is a solution.
    Mutant("torch's attention", 26, "", {"forward": TORCH_ATTENTION}),
    Mutant("the package's top-p, pasted", 26, "", {"distribution": PASTED_DISTRIBUTION}),
    Mutant("the package's pass, pasted", 18, "raised AttributeError", {"forward": PASTED_PASS}),
    Mutant("the visible sizes only", 23, "raised RuntimeError",
           {"forward": (".view(T, H, d)", ".view(T, 6, 32)")}),
]  # fmt: skip

RIGHT = [
    Mutant("by hand, row by row", 26, "",
           {"forward": BY_HAND, "distribution": SORTED_DISTRIBUTION}),
    Mutant("the prompt first", 26, "", {"generate": PREFILLED}),
]  # fmt: skip
