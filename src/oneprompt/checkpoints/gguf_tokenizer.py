"""The tokenizer of a GGUF file: its metadata holds the vocabulary, the merges and a few names.

How a text is split before merging is not in the file but only named (`tokenizer.ggml.pre`).
"""

import re

import numpy as np
import tokenizers
from tokenizers import AddedToken, Regex, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing

from ..tokenize import Tokenizer
from .chat import ChatTemplate
from .gguf_file import GGUFFile

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r"[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3, QWEN2 = (f"{CONTRACTIONS}|{REST % digits}" for digits in (r"\p{N}{1,3}", r"\p{N}"))
SPLITS = {  # tokenizer.ggml.pre -> a pattern; None: GPT-2's own
    "gpt-2": None,
    "smollm": r"\p{N}",  # each digit alone, then GPT-2's pattern
    "llama-bpe": LLAMA3, "llama3": LLAMA3, "llama-v3": LLAMA3,
    "qwen2": QWEN2, "deepseek-r1-qwen": QWEN2,
}  # fmt: skip
NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4  # of tokenizer.ggml.token_type
NAMES = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}


class Vocabulary:
    """What the metadata says about the tokens, checked.

    Attributes:
        ids: tokens -> ids.
        normal: the tokens that merging may make.
        begins: whether texts begin with the begin-of-text token; None if the file does not say.
    """

    def __init__(self, metadata: dict, vocab_size: int):
        self.metadata, self.vocab_size = metadata, vocab_size
        self.tokens, kinds = self.texts("tokens"), self.numbers("token_type")
        if len(self.tokens) != len(kinds) or len(self.tokens) > vocab_size:
            raise ValueError(
                f"it has {len(self.tokens):,} tokens, {len(kinds):,} kinds of tokens and a table "
                f"of {vocab_size:,} rows, which do not match"
            )
        self.of_gemma = metadata.get("general.architecture") == "gemma3"
        if self.of_gemma:
            # In Gemma's files, runs of spaces are pieces, but spelled and marked as whole texts.
            for i in [i for i, token in enumerate(self.tokens) if re.fullmatch(" +", token)]:
                self.tokens[i], kinds[i] = "▁" * len(self.tokens[i]), NORMAL
        self.ids = {token: token_id for token_id, token in enumerate(self.tokens)}
        if len(self.ids) < len(self.tokens):
            raise ValueError("tokenizer.ggml.tokens has a token twice")
        pairs = list(zip(self.tokens, kinds, strict=True))
        self.normal = {token for token, kind in pairs if kind == NORMAL}
        self.control = [token for token, kind in pairs if kind in (UNKNOWN, CONTROL)]
        self.user_defined = [token for token, kind in pairs if kind == USER_DEFINED]
        self.begins = self.get("add_bos_token")

    def get(self, name: str, default=None):
        return self.metadata.get(f"tokenizer.ggml.{name}", default)

    def texts(self, name: str) -> list[str]:
        return list(self._listed(name, list, "texts"))

    def numbers(self, name: str) -> list:
        return self._listed(name, np.ndarray, "numbers").tolist()

    def _listed(self, name: str, kind: type, what: str):
        found = self.get(name)
        if not isinstance(found, kind):
            raise ValueError(f"tokenizer.ggml.{name} is missing or not a list of {what}")
        return found

    def special_id(self, name: str) -> int | None:
        """The id of a special token."""
        token = self.get(f"{name}_token_id")
        if token is not None and not (type(token) is int and 0 <= token < len(self.tokens)):
            raise ValueError(f"tokenizer.ggml.{name}_token_id={token!r} is outside the vocabulary")
        return token

    def special_texts(self) -> dict[str, str]:
        """The texts of special tokens, by the names under which chat templates know them."""
        ids = {name: self.special_id(theirs) for name, theirs in NAMES.items()}
        return {name: self.tokens[i] for name, i in ids.items() if i is not None}


def tokenizer_of(file: GGUFFile, vocab_size: int) -> Tokenizer | None:
    """The file's tokenizer, with its chat template; None if the file has no tokenizer.

    Raises:
        ValueError: it is of an unknown kind, or its parts do not match.
    """
    kind = file.metadata.get("tokenizer.ggml.model")
    if kind is None and "tokenizer.ggml.tokens" not in file.metadata:
        return None
    try:
        if not isinstance(kind, str) or kind not in MAKES:
            raise ValueError(f"tokenizer.ggml.model={kind!r} is not supported; {[*MAKES]} are")
        vocabulary = Vocabulary(file.metadata, vocab_size)
        backend = MAKES[kind](vocabulary)
        add_tokens(backend, vocabulary)
        tokenizer = Tokenizer(backend, vocabulary.special_id("eos"), vocab_size)
        source = file.metadata.get("tokenizer.chat_template")
        if isinstance(source, str):
            tokenizer.chat_template = ChatTemplate(source, vocabulary.special_texts())
    except Exception as error:  # the library raises plain Exception
        raise ValueError(f"{file.path}: {error}") from None
    return tokenizer


def byte_level(vocabulary: Vocabulary) -> tokenizers.Tokenizer:
    """Byte-level BPE, GPT-2's kind."""
    pre = vocabulary.get("pre")
    if not isinstance(pre, str) or pre not in SPLITS:
        raise ValueError(f"tokenizer.ggml.pre={pre!r} is not supported; {', '.join(SPLITS)} are")
    pattern, merges = (
        SPLITS[pre],
        [tuple(merge.split(" ")) for merge in vocabulary.texts("merges")],
    )
    for merge in merges:
        if len(merge) != 2 or not {*merge, "".join(merge)} <= vocabulary.ids.keys():
            raise ValueError(f"tokenizer.ggml.merges has {merge}, which does not join two tokens")
        if "".join(merge) in vocabulary.control:
            raise ValueError(f"tokenizer.ggml.merges makes a special token from text: {merge}")
    model = BPE(vocab=vocabulary.ids, merges=merges, ignore_merges=pattern == LLAMA3)
    backend = tokenizers.Tokenizer(model)
    if pattern == QWEN2:
        backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = splitter(pattern)
    backend.decoder = decoders.ByteLevel()
    if vocabulary.begins is None:
        vocabulary.begins = pattern == LLAMA3
    return backend


def splitter(pattern: str | None):
    """What splits a text into the pieces that merges never cross."""
    of_gpt2 = pattern not in (LLAMA3, QWEN2)
    stand_ins = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=of_gpt2)
    if pattern is None:
        return stand_ins
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), stand_ins])


def sentence_piece(vocabulary: Vocabulary) -> tokenizers.Tokenizer:
    """SentencePiece's BPE (Kudo and Richardson 2018), as in Llama 2.

    The file has scores in place of merges: the merge that makes the token with the best score comes
    first. Gemma's scores do not order the merges; the order of its tokens does.
    """
    ids, merges = vocabulary.ids, []
    scores = [-i for i in range(len(ids))] if vocabulary.of_gemma else vocabulary.numbers("scores")
    if len(scores) != len(ids):
        raise ValueError(
            f"tokenizer.ggml.scores has {len(scores):,} numbers for {len(ids):,} tokens"
        )
    for token in vocabulary.normal:
        halves = ((token[:i], token[i:]) for i in range(1, len(token)))
        merges += [(-scores[ids[token]], -len(a), a, b) for a, b in halves if {a, b} <= ids.keys()]
    unknown = vocabulary.special_id("unknown")
    model = BPE(
        vocab=ids, merges=[(a, b) for _, _, a, b in sorted(merges)], byte_fallback=True,
        fuse_unk=True, unk_token=None if unknown is None else vocabulary.tokens[unknown],
    )  # fmt: skip
    backend, space = tokenizers.Tokenizer(model), [normalizers.Replace(" ", "▁")]
    if vocabulary.get("add_space_prefix", True):
        space = [normalizers.Prepend("▁"), *space]
    backend.normalizer = normalizers.Sequence(space)
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    backend.decoder = decoders.Sequence(parts)
    if vocabulary.begins is None:
        vocabulary.begins = True
    return backend


MAKES = {"gpt2": byte_level, "llama": sentence_piece}


def add_tokens(backend: tokenizers.Tokenizer, vocabulary: Vocabulary) -> None:
    """Add signals, texts that are always one token, and the token that begins a text."""
    for tokens, special in ((vocabulary.control, True), (vocabulary.user_defined, False)):
        backend.add_tokens([AddedToken(t, normalized=False, special=special) for t in tokens])
    begin = vocabulary.special_id("bos")
    if vocabulary.begins and begin is not None:
        token = vocabulary.tokens[begin]
        backend.post_processor = TemplateProcessing([token, "$A"], special_tokens=[(token, begin)])
