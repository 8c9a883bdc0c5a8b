"""Tokenizers from GGUF metadata give the ids of the tokenizers they were written from."""

import json
import random
from itertools import pairwise

import numpy as np
import pytest
import tokenizers
from checkpoints import GEMMA, GROUPED, Gemma3TextConfig, LlamaConfig, random_model
from gguf_files import metadata_of, tensors_of, write
from questions import training_texts
from tokenizer_makes import MAKES, TEXTS
from transformers import AutoTokenizer

import oneprompt as op

PRE = {"gpt2": "gpt-2", "llama3": "llama-bpe", "qwen2": "qwen2", "smollm": "smollm"}
PIECES = {"llama2": (0, 1), "gemma": (3, 2)}  # the ids of <unk> and of what begins a text
N_IDS = 440
TEMPLATE = "{% for m in messages %}{{ bos_token }}{{ m.content }}{{ eos_token }}{% endfor %}"


def metadata(backend: tokenizers.Tokenizer, name: str) -> dict:
    """What llama.cpp's converter writes for a tokenizer.json."""
    spec = json.loads(backend.to_str())
    tokens = [backend.id_to_token(i) for i in range(backend.get_vocab_size())]
    added = {token["content"]: token["special"] for token in spec["added_tokens"]}
    kinds = {None: 1, True: 3, False: 4}
    found = {"tokens": tokens, "token_type": [kinds[added.get(token)] for token in tokens]}
    if name == "gemma":
        for i, token in enumerate(tokens):
            if len(token) > 1 and not token.strip("▁"):
                tokens[i], found["token_type"][i] = " " * len(token), 4
    if name in PIECES:
        unknown, begin = PIECES[name]
        found |= {"model": "llama", "unknown_token_id": unknown, "bos_token_id": begin,
                  "scores": [-float(i) for i in range(len(tokens))]}  # fmt: skip
        if name == "gemma":
            found |= {"scores": [-1000.0] * len(tokens), "add_space_prefix": False}
        found["token_type"] = [
            6 if t.startswith("<0x") else 2 if t == "<unk>" else kind
            for t, kind in zip(tokens, found["token_type"], strict=True)
        ]
    else:
        merges = [" ".join(pair) for pair in spec["model"]["merges"]]
        found |= {"model": "gpt2", "pre": PRE[name], "merges": merges}
    if name == "llama3":
        found["bos_token_id"] = backend.token_to_id("<|begin_of_text|>")
    return {f"tokenizer.ggml.{key}": value for key, value in found.items()}


def file_with(path, more: dict, architecture: str = "llama"):
    """A model's file with this metadata added."""
    kind = {"llama": (LlamaConfig, GROUPED), "gemma3": (Gemma3TextConfig, GEMMA)}
    config_class, fields = kind[architecture]
    model = random_model(config_class(**fields | {"vocab_size": N_IDS}))
    metadata = metadata_of(model.config, architecture) | more
    return write(path, architecture, metadata, tensors_of(model, architecture))


@pytest.fixture(scope="module", params=[*PRE, *PIECES])
def made(request, tmp_path_factory):
    """The kind, its tokenizer, ours from a GGUF file of it, and the file."""
    name = request.param
    backend, eos = MAKES[name]()
    more = metadata(backend, name) | {
        "tokenizer.ggml.eos_token_id": backend.token_to_id(eos),
        "tokenizer.chat_template": TEMPLATE,
    }
    architecture = "gemma3" if name == "gemma" else "llama"
    path = file_with(tmp_path_factory.mktemp(name) / "x.gguf", more, architecture)
    backend.encode_special_tokens = True
    model, ours = op.load_pretrained(path)
    assert model.eos_id == ours.eos_id == backend.token_to_id(eos)
    return name, backend, ours, path


def test_ids_are_those_of_the_tokenizer_json(made):
    name, theirs, ours, _ = made
    for text in [*TEXTS, "12 3.14159 year 2024!", *training_texts(30)]:
        assert ours.encode(text) == theirs.encode(text, add_special_tokens=False).ids, repr(text)
        assert [*ours.start_ids, *ours.encode(text)] == theirs.encode(text).ids
        if name != "qwen2":  # which normalizes
            space = " " if name == "llama2" and text else ""
            assert ours.decode(ours.encode(text)) == space + text
    assert len(ours.start_ids) == (name in ("llama3", *PIECES))


def test_special_tokens_come_only_from_templates(made):
    _, theirs, ours, _ = made
    special = [t.content for t in theirs.get_added_tokens_decoder().values() if t.special]
    assert special
    for token in special:
        assert not any(ours.is_special(i) for i in ours.encode(f"a {token} b")), token
        assert ours.is_special(theirs.token_to_id(token))
    ids = op.chat_ids(ours, [{"role": "user", "content": "Hey"}])
    begin = ours.start_ids
    assert ids == [*begin, *ours.encode("Hey"), ours.eos_id]


def test_transformers_reads_the_same_ids(made):
    """Except for smollm, whose digits it does not split, and spaces that SentencePiece adds."""
    name, _, ours, path = made
    theirs = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    for text in [*TEXTS, "don't", *training_texts(30)]:
        if name == "llama2" and (text.startswith(" ") or not text):
            continue
        if not (name == "smollm" and any(char.isdigit() for char in text)):
            assert ours.encode(text) == theirs(text, add_special_tokens=False).input_ids, repr(text)


def test_the_pair_with_the_best_score_is_joined_first(tmp_path):
    """Merging by scores, as SentencePiece does it, step by step."""
    rng, letters = random.Random(0), "abc▁"
    pieces = {"".join(rng.choices(letters, k=rng.randint(2, 4))) for _ in range(60)}
    tokens = ["<unk>", "<s>", "</s>", *letters, *sorted(pieces)]
    scores = [0.0] * 7 + [-float(s) for s in rng.sample(range(len(tokens)), len(pieces))]
    ids = {token: i for i, token in enumerate(tokens)}
    more = {
        "model": "llama", "tokens": tokens, "scores": scores, "unknown_token_id": 0,
        "token_type": [2, 3, 3] + [1] * (len(tokens) - 3), "add_space_prefix": False,
    }  # fmt: skip
    path = file_with(tmp_path / "x.gguf", {f"tokenizer.ggml.{k}": v for k, v in more.items()})
    ours = op.load_pretrained(path)[1]
    for _ in range(500):
        text = "".join(rng.choices("abc ", k=rng.randint(1, 12)))
        parts = list(text.replace(" ", "▁"))
        while True:
            joined = [(scores[ids[a + b]], -i) for i, (a, b) in enumerate(pairwise(parts))
                      if a + b in ids]  # fmt: skip
            if not joined:
                break
            i = -max(joined)[1]
            parts[i : i + 2] = ["".join(parts[i : i + 2])]
        assert ours.encode(text) == [ids[part] for part in parts], text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "bert"}, r"tokenizer\.ggml\.model='bert' is not supported; \['gpt2', 'llama'\]"),
        ({"model": 5}, r"tokenizer\.ggml\.model=5 is not supported"),
        ({"pre": "tekken"}, r"pre='tekken' is not supported; gpt-2, smollm, .* are"),
        ({"pre": None}, r"pre=None is not supported"),
        ({"tokens": None}, r"tokenizer\.ggml\.tokens is missing or not a list of texts"),
        ({"tokens": "a"}, r"tokenizer\.ggml\.tokens is missing or not a list of texts"),
        ({"tokens": [1, 2]}, r"tokenizer\.ggml\.tokens is missing or not a list of texts"),
        ({"merges": [1, 2]}, r"tokenizer\.ggml\.merges is missing or not a list of texts"),
        ({"token_type": ["a"]}, r"tokenizer\.ggml\.token_type is missing or not a list of numbers"),
        ({"token_type": [1, 2]}, "tokens, 2 kinds of tokens and a table of 440 rows"),
        ({"merges": ["a b c"]}, r"merges has \('a', 'b', 'c'\), which does not join two tokens"),
        ({"merges": ["ab"]}, "which does not join two tokens"),
        ({"merges": ["a 日"]}, "which does not join two tokens"),
        ({"eos_token_id": 439}, "eos_token_id=439 is outside the vocabulary"),
        ({"bos_token_id": "1"}, "bos_token_id='1' is outside the vocabulary"),
        ({"tokens": ["a"] * 300, "token_type": [1] * 300}, "tokens has a token twice"),
        ({"model": "llama"}, r"tokenizer\.ggml\.scores is missing"),
        ({"model": "llama", "scores": [0.5]}, "scores has 1 numbers"),
    ],
)  # fmt: skip
def test_inconsistent_tokenizer_metadata_is_refused(change, words, tmp_path):
    backend, _ = MAKES["gpt2"]()
    more = metadata(backend, "gpt2") | {f"tokenizer.ggml.{k}": v for k, v in change.items()}
    path = file_with(tmp_path / "x.gguf", {k: v for k, v in more.items() if v is not None})
    with pytest.raises(ValueError, match=rf"x\.gguf: .*{words}"):
        op.load_pretrained(path)


def test_random_damage_of_a_vocabulary_goes_no_further(made):
    """Change bytes of the metadata: a tokenizer, or a ValueError, and nothing else."""
    _, _, _, path = made
    content, rng = path.read_bytes(), random.Random(0)
    start, end = content.index(b"tokenizer.ggml"), content.index(b"token_embd.weight")
    damaged_path = path.with_name("damaged.gguf")
    refused = 0
    for _ in range(100):
        damaged = bytearray(content)
        for _ in range(rng.choice((1, 2, 8))):
            damaged[rng.randrange(start, end)] = rng.randrange(256)
        damaged_path.write_bytes(damaged)
        try:
            op.load_pretrained(damaged_path)[1].encode("a b")
        except ValueError:
            refused += 1
    assert refused > 20


def test_merges_must_not_make_a_special_token(tmp_path):
    """Otherwise a text typed by a user could become one."""
    backend, _ = MAKES["gpt2"]()
    more = metadata(backend, "gpt2")
    tokens, kinds = more["tokenizer.ggml.tokens"], more["tokenizer.ggml.token_type"]
    tokens += ["<|", "<|<|"]
    more["tokenizer.ggml.token_type"] = [*kinds, 1, 3]
    more["tokenizer.ggml.merges"] += ["< |", "<| <|"]
    with pytest.raises(ValueError, match=r"makes a special token from text: \('<\|', '<\|'\)"):
        op.load_pretrained(file_with(tmp_path / "x.gguf", more))


def test_the_vocabulary_may_be_smaller_than_the_table(made):
    _, theirs, ours, _ = made
    assert theirs.get_vocab_size() < ours.vocab_size == N_IDS
    assert ours.token_bytes(N_IDS - 1) == b""
    assert isinstance(ours.encode("a")[0], int)
    assert np.isscalar(ours.eos_id)
