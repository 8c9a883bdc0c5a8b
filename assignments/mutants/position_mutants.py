"""Solutions of the assignment on positions, and what the tests must say to them."""

from coursework import Mutant

PASTED_ROTATE = """
def turn(x, positions, theta):
    angles = positions[:, None] * rope_frequencies(x.shape[-1], theta)
    n_pairs = angles.shape[-1]
    turned, rest = x[..., : 2 * n_pairs], x[..., 2 * n_pairs :]
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = turned.chunk(2, dim=-1)
    pairs = torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)
    return torch.cat((pairs, rest), dim=-1)

def rope_frequencies(head_dim, theta=10_000.0):
    return theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
"""

PASTED_INTERLEAVED = """
def turn(x, positions, theta):
    d = x.shape[-1]
    angles = positions[:, None] * theta ** (-torch.arange(0, d, 2) / d)
    cos, sin = angles.cos(), angles.sin()
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)
"""

BY_COMPLEX = """
def turn(x, positions, theta):
    n = x.shape[-1] // 2
    speeds = torch.exp(-math.log(theta) * torch.arange(n) / n)
    units = torch.polar(torch.ones(len(positions), n), torch.outer(positions.float(), speeds))
    turned = torch.complex(x[..., :n], x[..., n:]) * units
    return torch.cat((turned.real, turned.imag), dim=-1)
"""

BY_LOOPS = """
def waves(positions, d_model):
    result = torch.zeros(len(positions), d_model)
    for row, t in enumerate(positions.tolist()):
        for j in range(d_model):
            angle = t / 10000 ** ((j - j % 2) / d_model)
            result[row, j] = math.cos(angle) if j % 2 else math.sin(angle)
    return result
"""

SIDE_BY_SIDE = "torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)"
WAVES_EXPONENT = "-torch.arange(0, d_model, 2) / d_model"
TURN_EXPONENT = "-torch.arange(0, d, 2) / d"

WRONG = [
    Mutant("sine and cosine exchanged", 12, "the sine comes first",
           {"waves": ("(angles.sin(), angles.cos())", "(angles.cos(), angles.sin())")}),
    Mutant("all sines first", 12, "all sines come first",
           {"waves": (SIDE_BY_SIDE, "torch.cat((angles.sin(), angles.cos()), dim=-1)")}),
    Mutant("half the exponent", 12, "and not -i / D",
           {"waves": (WAVES_EXPONENT, "-torch.arange(d_model // 2) / d_model")}),
    Mutant("faster and faster waves", 12, "later pairs are slower",
           {"waves": (WAVES_EXPONENT, WAVES_EXPONENT.removeprefix("-"))}),
    Mutant("a speed for each number", 12, "share one angle",
           {"waves": "def waves(positions, d_model):\n"
                     "    j = torch.arange(d_model)\n"
                     "    angles = positions[:, None] * 10_000.0 ** (-j / d_model)\n"
                     "    return torch.where(j % 2 == 0, angles.sin(), angles.cos())"}),
    Mutant("waves from position 0", 14, "use those that are given",
           {"waves": ("positions[:, None]", "torch.arange(len(positions))[:, None]")}),
    Mutant("neighbors paired", 12, "neighbors were paired", {"turn": PASTED_INTERLEAVED}),
    Mutant("the angle without the position", 12, "do not depend on the position",
           {"turn": ("positions[:, None] * theta", "torch.ones(len(positions), 1) * theta")}),
    Mutant("half the exponent of a turn", 12, "and not -i / d",
           {"turn": (TURN_EXPONENT, "-torch.arange(d // 2) / d")}),
    Mutant("a fixed base", 14, "fixed in your code", {"turn": ("theta **", "10_000.0 **")}),
    Mutant("the other way round", 12, "turn the wrong way",
           {"turn": ("a * cos - b * sin, a * sin + b * cos",
                     "a * cos + b * sin, b * cos - a * sin")}),
    Mutant("two plus signs", 12, "keeps the length",
           {"turn": ("a * cos - b * sin", "a * cos + b * sin")}),
    Mutant("changed in place", 12, "both use the old numbers",
           {"turn": ("    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)",
                     "    a = a * cos - b * sin\n    b = a * sin + b * cos\n"
                     "    return torch.cat((a, b), dim=-1)")}),
    Mutant("where the key is", 13, "the distance is t - s",
           {"shifts": ("query_positions[:, None] - key_positions",
                       "key_positions.expand(len(query_positions), -1)")}),
    Mutant("far keys preferred", 13, "a key that is further away",
           {"shifts": ("return -slopes", "return slopes")}),
    Mutant("slopes from 1 on", 13, "and not 1: h counts from 0",
           {"shifts": ("torch.arange(1, n_heads + 1)", "torch.arange(n_heads)")}),
    Mutant("slopes of eight heads", 13, "depends on the number of heads",
           {"shifts": ("2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)",
                       "2.0 ** -torch.arange(1.0, n_heads + 1)")}),
    Mutant("a cache forgotten", 15, "queries were counted from 0",
           {"shifts": ("query_positions[:, None]",
                       "torch.arange(len(query_positions))[:, None]")}),
    Mutant("values turned too", 13, "the values were turned too",
           {"place": ("theta), v", "theta), turn(v, positions, theta)")}),
    Mutant("keys not turned", 13, "the keys are not turned",
           {"place": ("turn(k, positions, theta)", "k")}),
    Mutant("keys turned back", 13, "the keys turn the other way",
           {"place": ("turn(k, positions, theta)", "turn(k, -positions, theta)")}),
    Mutant("the prompt's own positions", 15, "counted from 0",
           {"place": ("turn(q, positions, theta), turn(k, positions, theta)",
                      "*(turn(x, torch.arange(x.shape[1]), theta) for x in (q, k))")}),
    Mutant("position 1 by hand", 14, "the position times the speed",
           {"by-hand": ('speed * given["position"]', "speed")}),
    Mutant("neighbors paired by hand", 14, "neighbors were paired",
           {"by-hand": "x = [float(number) for number in given['head']]\n"
                       "answer = []\n"
                       "for i, speed in enumerate(given['speeds']):\n"
                       "    phi = math.radians(speed * given['position'])\n"
                       "    a, b = x[2 * i : 2 * i + 2]\n"
                       "    answer += [a * math.cos(phi) - b * math.sin(phi),\n"
                       "               a * math.sin(phi) + b * math.cos(phi)]"}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's functions", 5, "is not available in this assignment",
           {"waves": "def waves(positions, d_model):\n"
                     "    return op.position.sinusoidal(positions, d_model)",
            "turn": "def turn(x, positions, theta):\n"
                    "    speeds = op.position.rope_frequencies(x.shape[-1], theta)\n"
                    "    return op.position.rotate(x, positions[:, None] * speeds)",
            "shifts": "def shifts(*args):\n    return op.position.alibi_bias(*args)"}),
    Mutant("the model's turns", 13, "is not available in this assignment",
           {"place": "def place(q, k, v, positions, theta):\n"
                     "    turns = model.turns(positions)\n"
                     "    return *(op.position.turn(x, turns) for x in (q, k)), v"}),
    # Torch has no function for any of this. A pasted function that solves the task is a solution:
    # only the report of equal code shows it.
    Mutant("the package's turn, pasted", 16, "", {"turn": PASTED_ROTATE}),
    Mutant("the turn for the visible sizes only", 14, "raised AssertionError",
           {"turn": ("    d = x.shape[-1]", "    assert x.shape == (2, 5, 6)\n"
                     "    d = x.shape[-1]")}),
    Mutant("the traced queries, looked up", 15, "the shape is",
           {"place": "def place(q, k, v, positions, theta):\n"
                     "    layer = trace.layers[0]\n"
                     "    return layer.q[0], layer.k[0], v"}),
]  # fmt: skip

RIGHT = [
    Mutant("loops, complex numbers and a list", 16, "", {
        "waves": BY_LOOPS,
        "turn": BY_COMPLEX,
        "shifts": "def shifts(n_heads, query_positions, key_positions):\n"
                  "    rows = []\n"
                  "    for h in range(n_heads):\n"
                  "        m = 2 ** (-8 * (h + 1) / n_heads)\n"
                  "        rows.append([[-m * (t - s) for s in key_positions.tolist()]\n"
                  "                     for t in query_positions.tolist()])\n"
                  "    return torch.tensor(rows)",
        "place": ("return turn(q, positions, theta), turn(k, positions, theta), v",
                  "return [turn(q, positions, theta), turn(k, positions, theta), v]")}),
    Mutant("keys after the query hidden", 16, "", {
        "shifts": ("return -slopes[:, None, None] * distances",
                   "shifted = -slopes[:, None, None] * distances\n"
                   "    return shifted.masked_fill(distances < 0, -math.inf)")}),
    Mutant("by a matrix per pair", 16, "", {
        "turn": "def turn(x, positions, theta):\n"
                "    n, result = x.shape[-1] // 2, torch.empty_like(x)\n"
                "    for i in range(n):\n"
                "        phi = positions.double() * theta ** (-i / n)\n"
                "        matrix = torch.stack((phi.cos(), -phi.sin(), phi.sin(), phi.cos()), -1)\n"
                "        matrix = matrix.view(-1, 2, 2).to(x.dtype)\n"
                "        pair = [i, i + n]\n"
                "        result[..., pair] = (matrix @ x[..., pair, None])[..., 0]\n"
                "    return result"}),
]  # fmt: skip
