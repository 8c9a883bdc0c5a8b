"""Step 1, tokenize: text becomes a list of integers.

Byte pair encoding (Sennrich et al. 2016; on bytes, Radford et al. 2019, section 2.2): split the
text into pieces, write each piece as bytes, and join neighboring tokens again and again, in the
order in which training found the merges.

`BytePairEncoding` is the algorithm, from scratch. `Tokenizer` is what the model uses: the same
vocabulary in the library that the field trusts (`tokenizers`); a test checks that the two agree.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise, takewhile
from pathlib import Path
from typing import NamedTuple

import regex
import tokenizers

EOS = "<|endoftext|>"

# GPT-2's pattern: English contractions; then letters, digits or other signs with at most one
# space before them; then white space, except for the last space before a word, which goes with it.
PATTERN = regex.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)

Pair = tuple[bytes, bytes]


def pre_tokenize(text: str) -> list[str]:
    """Split text into the pieces that merges never cross.

    >>> pre_tokenize("What is machine learning?")
    ['What', ' is', ' machine', ' learning', '?']
    """
    check_text(text)
    return PATTERN.findall(text)


def check_text(text: str) -> None:
    """Refuse what cannot be written as UTF-8.

    Raises:
        TypeError: the text is not a str.
        ValueError: it has a lone surrogate.
    """
    if not isinstance(text, str):
        raise TypeError(f"the text must be a str, got {type(text).__name__}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the text has a lone surrogate (half a character) at index {error.start}; "
            'remove it with text.encode("utf-8", "replace").decode("utf-8")'
        ) from None


def merge_pair(tokens: list[bytes], pair: Pair) -> list[bytes]:
    """Join every occurrence of the pair, from left to right.

    >>> merge_pair([b"a", b"b", b"a", b"b"], (b"a", b"b"))
    [b'ab', b'ab']
    """
    merged, i = [], 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == pair:
            merged.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


class Round(NamedTuple):
    """One round of training.

    Attributes:
        counts: how often each pair of neighbors occurs before this round.
        pair: the one that is joined: the most frequent.
        words: the pieces of the text and their tokens after it.
    """

    counts: Counter[Pair]
    pair: Pair
    words: dict[str, list[bytes]]


def rounds(text: str) -> Iterator[Round]:
    """The rounds of training on a text, until no pair is left to join.

    Among equally frequent pairs the one whose first token is older is joined, then the one whose
    second is, as `tokenizers` does.

    >>> [a + b for counts, (a, b), words in rounds("learn learn earn ear art")][:4]
    [b'ar', b'ear', b'earn', b'learn']
    """
    pieces, merges = Counter(pre_tokenize(text)), []
    words = {piece: [bytes([b]) for b in piece.encode()] for piece in pieces}
    while True:
        counts = Counter()
        for piece, tokens in words.items():
            for pair in pairwise(tokens):
                counts[pair] += pieces[piece]
        if not counts:
            return
        ids = BytePairEncoding(merges).ids
        best = min(counts, key=lambda pair: (-counts[pair], ids[pair[0]], ids[pair[1]]))
        words = {piece: merge_pair(tokens, best) for piece, tokens in words.items()}
        merges.append(best)
        yield Round(counts, best, words)


class BytePairEncoding:
    """Byte-level BPE: 256 single bytes, then one new token per merge.

    Attributes:
        merges: the pairs of tokens to join, first learned first.
        ids: bytes of a token -> its id. The default numbering is `tokenizers`': id 0 is the
            end-of-sequence token, then the bytes in the order of their printable stand-ins, then
            the merges.
    """

    def __init__(self, merges: list[Pair], ids: dict[bytes, int] | None = None):
        self.merges = merges
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        alphabet = sorted(BYTE_TO_CHAR, key=BYTE_TO_CHAR.get)
        tokens = [bytes([b]) for b in alphabet] + [a + b for a, b in merges]
        self.ids = ids or {token: i for i, token in enumerate(tokens, start=1)}
        self.tokens = {token_id: token for token, token_id in self.ids.items()}

    @classmethod
    def train(cls, text: str, vocab_size: int) -> "BytePairEncoding":
        """Learn merges, one a round, until there are vocab_size tokens or no pair is left to join.

        Raises:
            ValueError: vocab_size is less than 257.
        """
        if vocab_size < 257:
            raise ValueError(f"256 bytes and one EOS need a vocab_size of 257, got {vocab_size}")
        bpe = cls([])
        for step in rounds(text):
            if len(bpe.ids) + 1 >= vocab_size:
                break
            bpe = cls([*bpe.merges, step.pair])
        return bpe

    def merge_steps(self, piece: str) -> list[list[bytes]]:
        """The tokens of one piece after each merge, from single bytes to the final tokens."""
        steps = [[bytes([b]) for b in piece.encode()]]
        while True:
            tokens = steps[-1]
            pairs = [pair for pair in pairwise(tokens) if pair in self.ranks]
            if not pairs:
                return steps
            steps.append(merge_pair(tokens, min(pairs, key=self.ranks.get)))

    def encode(self, text: str) -> list[int]:
        """Text -> ids."""
        return [self.ids[t] for piece in pre_tokenize(text) for t in self.merge_steps(piece)[-1]]

    def decode(self, ids: list[int]) -> str:
        """Ids -> text. Bytes that are not valid UTF-8 become U+FFFD.

        Raises:
            ValueError: an id is outside the vocabulary.
        """
        if unknown := [i for i in ids if i not in self.tokens]:
            first, last = min(self.tokens), max(self.tokens)
            raise ValueError(f"token id {unknown[0]} is outside the vocabulary ({first} to {last})")
        return b"".join(self.tokens[i] for i in ids).decode("utf-8", errors="replace")


def _byte_to_char() -> dict[int, str]:
    """GPT-2's printable stand-in for each byte, as used in tokenizer.json files."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    stand_ins = {b: chr(256 + i) for i, b in enumerate(others)}
    return {b: stand_ins.get(b, chr(b)) for b in range(256)}


BYTE_TO_CHAR = _byte_to_char()
CHAR_TO_BYTE = {char: byte for byte, char in BYTE_TO_CHAR.items()}


def _to_bytes(token: str) -> bytes:
    """The bytes of a token; one with a character that is not a stand-in is plain text."""
    if _is_raw(token):
        return token.encode()
    return bytes(CHAR_TO_BYTE[char] for char in token)


def _is_raw(token: str) -> bool:
    return not CHAR_TO_BYTE.keys() >= set(token)


def _piece_to_bytes(token: str) -> bytes:
    """The bytes of a SentencePiece token, in which "▁" is a space and "<0x0A>" one byte."""
    if byte := regex.fullmatch("<0x([0-9A-F]{2})>", token):
        return bytes.fromhex(byte[1])
    return token.replace("▁", " ").encode()


class Tokenizer:
    """Byte-level BPE with a fixed vocabulary, run by the `tokenizers` library.

    Special tokens are never made from text: a typed "<|endoftext|>" is plain characters.

    Args:
        backend: the library's tokenizer. A public checkpoint's may also be a SentencePiece one; its
            texts begin with an extra space, which `decode` keeps.
        eos_id: None for that of "<|endoftext|>".
        vocab_size: None for as many ids as there are tokens. A model may have more, as padding of
            its table; these have no bytes.

    Attributes:
        vocab_size: the number of ids.
        eos_id: the id of the end-of-sequence token.
        start_ids: the ids that the model expects before each text: one for Llama, often [].
        chat_template: how the model expects a conversation, for `chat_ids`; often None.

    Raises:
        ValueError: the backend is of a kind that is not supported.
    """

    def __init__(
        self,
        backend: tokenizers.Tokenizer,
        eos_id: int | None = None,
        vocab_size: int | None = None,
    ):
        self.backend = backend
        self.backend.encode_special_tokens = True  # treat special tokens in a text as text
        self.vocab_size = backend.get_vocab_size() if vocab_size is None else vocab_size
        self.eos_id = backend.token_to_id(EOS) if eos_id is None else eos_id
        self.start_ids, self.chat_template = _start_ids(backend), None
        self._added = backend.get_added_tokens_decoder()  # token id -> a token outside the merges
        self._byte_level = _is_byte_level(backend)

    @classmethod
    def load(cls, path: str | Path, eos_id=None, vocab_size=None) -> "Tokenizer":
        """Read a tokenizer.json.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is damaged, or of a kind that is not supported.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"there is no tokenizer at {path}")
        try:
            backend = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise ValueError(f"{path} is not a tokenizer.json: {error}") from None
        try:
            return cls(backend, eos_id, vocab_size)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> "Tokenizer":
        """Learn a vocabulary from texts."""
        backend = tokenizers.Tokenizer(tokenizers.models.BPE())
        byte_level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.pre_tokenizer = byte_level
        backend.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=[EOS],
            initial_alphabet=byte_level.alphabet(),
            show_progress=False,
        )
        backend.train_from_iterator(texts, trainer)
        return cls(backend)

    def save(self, path: str | Path) -> None:
        self.backend.save(str(path))

    def encode(self, text: str) -> list[int]:
        """Text -> ids; TypeError for anything but a str, ValueError for a lone surrogate."""
        check_text(text)
        return self.backend.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        """Ids -> text, without special tokens such as EOS, which are signals and not text."""
        parts = [self.token_bytes(i) for i in ids if not self.is_special(i)]
        return b"".join(parts).decode("utf-8", errors="replace")

    def is_special(self, token_id: int) -> bool:
        """Whether an id is a signal (the end of a text, its start, ...) and not text."""
        added = self._added.get(token_id)
        return token_id == self.eos_id or (added is not None and added.special)

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text as strings; a token that is part of a character shows as U+FFFD.

        >>> load_tokenizer().tokens("What is machine learning?")
        ['What', ' is', ' machine', ' learning', '?']
        """
        return [self.decode([i]) for i in self.encode(text)]

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes of one id.

        Raises:
            ValueError: the id is outside the vocabulary.
        """
        if not 0 <= token_id < self.vocab_size:
            last = self.vocab_size - 1
            raise ValueError(f"token id {token_id} is outside the vocabulary (0 to {last})")
        token = self.backend.id_to_token(token_id)
        if token is None:
            return b""
        if token_id in self._added:
            return self._added[token_id].content.encode()
        return _to_bytes(token) if self._byte_level else _piece_to_bytes(token)

    def byte_pair_encoding(self) -> BytePairEncoding:
        """The same merges and ids as our own `BytePairEncoding`.

        Raises:
            ValueError: this tokenizer does not split text as that does.
        """
        spec = json.loads(self.backend.to_str())
        model, splits = spec["model"], spec["pre_tokenizer"] or {}
        of_gpt2 = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
        splits_otherwise = spec["normalizer"] or not of_gpt2.items() <= splits.items()
        if splits_otherwise or model.get("ignore_merges"):
            raise ValueError("this tokenizer does not split text as GPT-2's and our own BPE do")
        # Merges never make a raw token, since text is written in stand-ins before they run.
        merges = [(_to_bytes(a), _to_bytes(b)) for a, b in model["merges"] if not _is_raw(a + b)]
        added = {token.content for token in self._added.values()}
        vocab = [(t, i) for t, i in model["vocab"].items() if t not in added]
        bpe = BytePairEncoding(merges, {_to_bytes(t): i for t, i in vocab if not _is_raw(t)})
        bpe.tokens |= {i: _to_bytes(t) for t, i in vocab if _is_raw(t)}
        return bpe


def _start_ids(backend: tokenizers.Tokenizer) -> list[int]:
    """The ids that the tokenizer puts before a text's own."""
    for text in chain(["a"], backend.get_vocab()):  # the first text that itself has an id
        found = backend.encode(text)
        if not all(found.special_tokens_mask):
            marked = zip(found.ids, found.special_tokens_mask, strict=True)
            return [token for token, _ in takewhile(lambda pair: pair[1], marked)]
    return []


def _is_byte_level(backend: tokenizers.Tokenizer) -> bool:
    """Whether tokens are written in stand-ins for bytes; False for SentencePiece's pieces."""
    model = backend.model
    kind, decoder = type(model).__name__, repr(backend.decoder)
    byte_level = "ByteLevel" in decoder + repr(backend.pre_tokenizer)
    pieces = any(part in decoder for part in ("Metaspace", "Replace", "ByteFallback"))
    marks = ("continuing_subword_prefix", "end_of_word_suffix")
    mark = next((m for name in marks if (m := getattr(model, name, None))), None)
    if kind not in ("BPE", "Unigram") or mark or not (byte_level or pieces):
        marked = f" that marks parts of words by {mark!r}" if mark else ""
        raise ValueError(
            f"this is a {kind} tokenizer{marked}; only byte-level BPE (GPT-2's kind) and "
            "SentencePiece (Llama 2's) are supported: their tokens, joined, are the text"
        )
    return byte_level


def load_tokenizer(path: str | Path | None = None) -> Tokenizer:
    """The reference pair's tokenizer, or the one in a tokenizer.json of your own."""
    return Tokenizer.load(path or Path(__file__).parent / "assets" / "tokenizer.json")
