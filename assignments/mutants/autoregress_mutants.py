"""Solutions of the assignment on generating with a cache, and what the tests must say to them."""

from coursework import Mutant

VISIBLE_SIZES_ONLY = """
def cached_attention(q, k, v, past, turn):
    keys, values = past or (k[:, :0], v[:, :0])
    S, T = keys.shape[1], q.shape[1]
    q, k = turn(q, S), turn(k, S)
    k, v = torch.cat((keys, k), 1), torch.cat((values, v), 1)
    assert (S, T) in ((3, 2), (0, 3), (3, 1), (4, 1))
    hidden = torch.arange(S + T) > torch.arange(S, S + T)[:, None]
    scores = q @ k.mT / q.shape[-1] ** 0.5
    return scores.masked_fill(hidden, -math.inf).softmax(-1) @ v, (k, v)
"""

WITHOUT_A_CACHE = """
def generate(model, ids, max_new_tokens, choose):
    text = list(ids)
    for _ in range(max_new_tokens):
        if len(text) > model.config.context_length:
            return text[len(ids) :], "context"
        text.append(choose(model(torch.tensor([text]))[0, -1]))
        if text[-1] == model.eos_id:
            return text[len(ids) :], "stop"
    return text[len(ids) :], "length"
"""

SHARED_CACHE = """
kept = {}

def generate(model, ids, max_new_tokens, choose):
    cache = kept.setdefault(id(model), model.new_cache())
    unread, new = list(ids), []
    while len(new) < max_new_tokens:
        if cache.length + len(unread) > model.config.context_length:
            return new, "context"
        new.append(choose(model(torch.tensor([unread]), cache)[0, -1]))
        unread = new[-1:]
        if new[-1] == model.eos_id:
            return new, "stop"
    return new, "length"
"""

PASTED_LOOP = """
def generate(model, text, max_new_tokens, choose):
    n_prompt, device, cache = len(text), model.embedding.device, model.new_cache()
    for wanted in reversed(range(max_new_tokens)):
        new = cache.unread(text)
        logits = model(torch.tensor([new], device=device), cache, last=1)[0, -1]
        text.append(choose(logits))
        room = model.config.context_length + 1 - len(text)
        if text[-1] == model.eos_id:
            return text[n_prompt:], "stop"
        if wanted == 0 or room == 0:
            return text[n_prompt:], "length" if wanted == 0 else "context"
    return [], "length"
"""

PASTED_STREAM = """
def stream_text(tokenizer, ids):
    waiting = []
    for token_id in ids:
        waiting.append(token_id)
        text = tokenizer.decode(waiting)
        if not text.endswith("\\ufffd"):
            yield text
            waiting = []
    if waiting:
        yield tokenizer.decode(waiting)
"""

IN_ROWS = """
def cached_attention(q, k, v, past, turn):
    old_k, old_v = past if past else (k[:, :0], v[:, :0])
    S, T = old_k.shape[1], k.shape[1]
    keys = torch.cat((old_k, turn(k, S)), dim=1)
    values = torch.cat((old_v, v), dim=1)
    rows = []
    for t in range(T):
        query = turn(q, S)[:, t : t + 1]
        scores = torch.einsum("htd,hsd->hts", query, keys[:, : S + t + 1]) * q.shape[-1] ** -0.5
        rows.append(torch.softmax(scores, -1) @ values[:, : S + t + 1])
    return torch.cat(rows, dim=1), (keys, values)
"""

PREALLOCATED_LOOP = """
def generate(model, ids, max_new_tokens, choose):
    if max_new_tokens == 0:
        return [], "length"
    cache = model.new_cache(capacity=len(ids) + max_new_tokens)
    logits, new = model(torch.tensor([ids]), cache, last=1), []
    while True:
        new.append(int(choose(logits[0, -1])))
        if new[-1] == model.eos_id:
            return new, "stop"
        if len(new) >= max_new_tokens:
            return new, "length"
        if cache.length >= model.config.context_length:
            return new, "context"
        logits = model(torch.tensor([[new[-1]]]), cache)
"""

BY_TAKEWHILE = """
def reusable(known, text):
    from itertools import takewhile
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(known, text[:-1])))
"""

BY_DECODER = """
def stream_text(tokenizer, ids):
    import codecs
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    for token_id in ids:
        if piece := decoder.decode(tokenizer.token_bytes(token_id)):
            yield piece
    yield decoder.decode(b"", final=True)
"""

BY_LENGTH = """
def stream_text(tokenizer, ids):
    so_far, shown = [], 0
    for token_id in ids:
        so_far.append(token_id)
        text = tokenizer.decode(so_far)
        whole = text.rstrip("\\ufffd")
        yield whole[shown:]
        shown = len(whole)
    if so_far:
        yield text[shown:]
"""

WRONG = [
    Mutant("positions restart at 0", 12, "were turned at position 0",
           {"cached_attention": ("q, k = turn(q, S), turn(k, S)", "q, k = turn(q, 0), turn(k, 0)")
            }),
    Mutant("positions off by one", 12, "the positions are one too low",
           {"cached_attention": ("q, k = turn(q, S), turn(k, S)",
                                 "q, k = (turn(x, max(S - 1, 0)) for x in (q, k))")}),
    Mutant("the mask starts at position 0", 12, "sees the whole past and itself",
           {"cached_attention": ("triu(S + 1)", "triu(1)")}),
    Mutant("no mask", 12, "nothing hides the later ones",
           {"cached_attention": (".masked_fill(hidden, -math.inf)", "")}),
    Mutant("the past is not used", 12, "the past is not used",
           {"cached_attention": ("    if past is not None:\n", "    S = 0\n    if False:\n")}),
    Mutant("the new keys first", 12, "come after those of the past",
           {"cached_attention": "def cached_attention(q, k, v, past, turn):\n"
                                "    S = 0 if past is None else past[0].shape[1]\n"
                                "    q, k = turn(q, S), turn(k, S)\n"
                                "    hidden = torch.ones(len(q[0]), len(q[0])).triu(1).bool()\n"
                                "    if past is not None:\n"
                                "        k = torch.cat((k, past[0]), 1)\n"
                                "        v = torch.cat((v, past[1]), 1)\n"
                                "        hidden = torch.cat((hidden, hidden[:, :1].repeat(1, S)\n"
                                "                            & False), 1)\n"
                                "    scores = q @ k.mT / math.sqrt(q.shape[-1])\n"
                                "    weights = scores.masked_fill(hidden, -math.inf).softmax(-1)\n"
                                "    return weights @ v, (k, v)"}),
    Mutant("keys kept before they are turned", 12, "keep them turned",
           {"cached_attention": "def cached_attention(q, k, v, past, turn):\n"
                                "    T, S = q.shape[1], 0 if past is None else past[0].shape[1]\n"
                                "    kept, q, k = k, turn(q, S), turn(k, S)\n"
                                "    if past is not None:\n"
                                "        kept = torch.cat((past[0], kept), 1)\n"
                                "        k = torch.cat((past[0], k), 1)\n"
                                "        v = torch.cat((past[1], v), 1)\n"
                                "    hidden = torch.ones(T, S + T).triu(S + 1).bool()\n"
                                "    scores = q @ k.mT / math.sqrt(q.shape[-1])\n"
                                "    weights = scores.masked_fill(hidden, -math.inf).softmax(-1)\n"
                                "    return weights @ v, (kept, v)"}),
    Mutant("the whole context again, with a cache", 12, "a cache that holds most of it",
           {"generate": ("unread = [new[-1]]", "unread = [*ids, *new]")}),
    Mutant("no cache", 12, "the cache is not used", {"generate": WITHOUT_A_CACHE}),
    Mutant("the newest id without a cache", 12, "saw none of the text",
           {"generate": ("logits = model(torch.tensor([unread]), cache)",
                         "logits = model(torch.tensor([unread]))")}),
    Mutant("a cache for all calls", 12, "a cache from an earlier call", {"generate": SHARED_CACHE}),
    Mutant("the first row", 12, "the first row of logits",
           {"generate": ("logits[0, -1]", "logits[0, 0]")}),
    Mutant("EOS ignored", 12, "does not end the loop",
           {"generate": ("if new and new[-1] == model.eos_id:", "if False:")}),
    Mutant("EOS dropped", 12, "an id is missing at the end",
           {"generate": ('return new, "stop"', 'return new[:-1], "stop"')}),
    Mutant("the prompt in front", 12, "the prompt is in front",
           {"generate": ('return new, "stop"', 'return [*ids, *new], "stop"')}),
    Mutant("the limit off by one", 14, "one id too many",
           {"generate": ("len(new) == max_new_tokens", "len(new) > max_new_tokens")}),
    Mutant("one id less in a full context", 14, "needs no room to be read",
           {"generate": ("> model.config", ">= model.config")}),
    Mutant("no end at the context", 14, "raised ValueError",
           {"generate": ("cache.length + len(unread) > model.config.context_length", "False")}),
    Mutant("always the likeliest", 14, "let `choose` choose",
           {"generate": ("choose(logits[0, -1])", "int(logits[0, -1].argmax())")}),
    Mutant("nothing is read again", 15, "the last id is always read again",
           {"reusable": ("(known), len(text) - 1", "(known), len(text)")}),
    Mutant("equal ids at any place", 13, "what is kept must be the beginning",
           {"reusable": "def reusable(known, text):\n"
                        "    return sum(a == b for a, b in zip(known, text[:-1]))"}),
    Mutant("all or nothing", 13, "all or nothing",
           {"reusable": "def reusable(known, text):\n"
                        "    return len(known) if text[: len(known)] == known else 0"}),
    Mutant("each id alone", 13, "each id was decoded alone",
           {"stream_text": "def stream_text(tokenizer, ids):\n"
                           "    for token_id in ids:\n"
                           "        yield tokenizer.decode([token_id])"}),
    Mutant("the whole text each time", 13, "yield what is new",
           {"stream_text": "def stream_text(tokenizer, ids):\n    so_far = []\n"
                           "    for token_id in ids:\n        so_far.append(token_id)\n"
                           "        yield tokenizer.decode(so_far)"}),
    Mutant("everything at the end", 13, "everything came at the end",
           {"stream_text": "def stream_text(tokenizer, ids):\n"
                           "    yield tokenizer.decode(list(ids))"}),
    Mutant("the unfinished rest is lost", 15, "the ids ended inside a character",
           {"stream_text": ("    if waiting:\n        yield tokenizer.decode(waiting)\n", "")}),
    Mutant("the last id counted by hand", 14, "it has no keys and values",
           {"by-hand": "n = given['layers'] * given['kv_heads'] * given['width'] * given['size']\n"
                       "answer = 2 * n * (given['prompt'] + given['new'])"}),
    Mutant("keys without values by hand", 14, "two tensors per layer",
           {"by-hand": "n = given['layers'] * given['kv_heads'] * given['width'] * given['size']\n"
                       "answer = n * (given['prompt'] + given['new'] - 1)"}),
    Mutant("an object that equals everything", 13, "got:",
           {"reusable": "class Any:\n    def __eq__(self, other):\n        return True\n"
                        "def reusable(known, text):\n    return Any()"}),
]  # fmt: skip

SHORTCUTS = [
    Mutant("the package's functions", 6, "is not available in this assignment",
           {"generate": "def generate(model, ids, max_new_tokens, choose):\n"
                        "    done = op.generate(model, ids, max_new_tokens)\n"
                        "    return done.ids, done.stop_reason",
            "reusable": "def reusable(known, text):\n    cache = op.load_model().new_cache()\n"
                        "    cache.ids, cache.length = known, len(known)\n"
                        "    return len(text) - len(cache.unread(text))",
            "stream_text": "def stream_text(tokenizer, ids):\n"
                           "    yield from op.stream_text(tokenizer, ids)"}),
    Mutant("the package's function as the answer itself", 13, "is not available",
           {"stream_text": "stream_text = op.stream_text"}),
    Mutant("torch's attention", 12, "is not available in this assignment",
           {"cached_attention": (
               "    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])\n"
               "    weights = scores.masked_fill(hidden, -math.inf).softmax(dim=-1)\n"
               "    return weights @ v, (k, v)",
               "    attend = torch.nn.functional.scaled_dot_product_attention\n"
               "    return attend(q, k, v, ~hidden), (k, v)")}),
    # A pasted function that solves the task is a solution: only the report of equal code shows it.
    Mutant("the package's stream, pasted", 16, "", {"stream_text": PASTED_STREAM}),
    Mutant("the package's loop, pasted", 12, "is not available in this assignment",
           {"generate": PASTED_LOOP}),
    Mutant("the visible sizes only", 14, "AssertionError",
           {"cached_attention": VISIBLE_SIZES_ONLY}),
]  # fmt: skip

RIGHT = [
    Mutant("row by row, with a cache of the right size", 16, "",
           {"cached_attention": IN_ROWS, "generate": PREALLOCATED_LOOP, "reusable": BY_TAKEWHILE,
            "stream_text": BY_DECODER}),
    Mutant("text by its length", 16, "", {"stream_text": BY_LENGTH}),
]  # fmt: skip
