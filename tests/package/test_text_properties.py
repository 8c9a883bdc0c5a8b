"""5,000 strings of all kinds survive encoding and decoding; ids that no text has can be decoded."""

import random
import unicodedata

import pytest

import oneprompt as op
from oneprompt.autoregress import stream_text
from oneprompt.tokenize import EOS

N_TEXTS = 5000
PIECES = (
    "\ufeff", "\x85", "\u2028", "\xa0", "\u3000", "\u200b", "\u200d", "\x00", "\x1c", "\ufffd",
    "\U0010ffff", "\ue000", "e\u0301", "\u0345", "İ", "ß", "ﬁ", "中文", "한글",
    "\u1112\u1161\u11ab", "👩🏽\u200d🚀", "🇩🇪", "½", "٣", "'s", "'LL", "’re", "don't", "_", "...",
    "\r\n", "\t\t", "\n\n\n",
    EOS, EOS + EOS, " " + EOS, "<|endoftext", "|>", "<|im_start|>", "<s>", "</s>", "[INST]",
    "<0x0A>", "▁", "Ġ", "What is machine learning?", "https://a.b/c?d=1", "1234567890", "\\u0041",
)  # fmt: skip


def random_text(rng: random.Random) -> str:
    """Odd pieces, runs of white space, and characters of all of Unicode, assigned or not."""
    parts = []
    for _ in range(rng.randint(0, 10)):
        kind = rng.random()
        if kind < 0.35:
            parts.append(rng.choice(PIECES))
        elif kind < 0.5:
            parts.append(rng.choice(" \n\t\x85\u2003") * rng.choice((1, 2, 3, 17, 300)))
        elif kind < 0.75:
            parts.append("".join(rng.choices("abc MLaitn.,?'", k=rng.randint(1, 12))))
        else:
            code = rng.randrange(rng.choice((0x800, 0x10000, 0x110000)))
            parts.append(chr(code) if not 0xD800 <= code < 0xE000 else "x")
    return "".join(parts)


@pytest.fixture(scope="module")
def tokenizer():
    return op.load_tokenizer()


@pytest.fixture(scope="module")
def texts():
    rng = random.Random(4)
    texts = [random_text(rng) for _ in range(N_TEXTS)]
    assert len(set(texts)) > 0.85 * N_TEXTS
    for needed in ("\ufeff", "\x85", EOS, " " * 300):
        assert sum(needed in text for text in texts) > 50
    return texts


@pytest.fixture(scope="module")
def encoded(tokenizer, texts):
    return [tokenizer.encode(text) for text in texts]


def test_every_text_decodes_to_itself(tokenizer, texts, encoded):
    for text, ids in zip(texts, encoded, strict=True):
        assert tokenizer.decode(ids) == text
        assert b"".join(map(tokenizer.token_bytes, ids)) == text.encode()
        assert tokenizer.eos_id not in ids  # typed as text, it stays text
        assert all(0 <= token_id < tokenizer.vocab_size for token_id in ids)


def test_our_bpe_gives_the_ids_of_the_library(tokenizer, texts, encoded):
    """On characters that both versions of Unicode know; the others must survive all the same."""
    bpe, n_compared = tokenizer.byte_pair_encoding(), 0
    for text, ids in zip(texts, encoded, strict=True):
        ours = bpe.encode(text)
        assert bpe.decode(ours) == text
        if all(unicodedata.category(char) != "Cn" for char in text):
            assert ours == ids, repr(text)
            n_compared += 1
    assert n_compared > 0.6 * N_TEXTS


def test_streamed_text_is_the_text(tokenizer, texts, encoded):
    for text, ids in zip(texts[:1500], encoded[:1500], strict=True):
        pieces = list(stream_text(tokenizer, ids))
        assert "".join(pieces) == text
        held = [piece for piece in pieces[:-1] if piece.endswith("\ufffd")]
        assert not held or "\ufffd" in text


def test_any_ids_can_be_decoded(tokenizer):
    """Even where their bytes are not UTF-8, streamed or at once, and as the library does it."""
    rng = random.Random(5)
    for _ in range(1500):
        ids = rng.choices(range(tokenizer.vocab_size), k=rng.randint(0, 12))
        ids += rng.choices(range(257), k=rng.randint(0, 6))  # single bytes
        text = tokenizer.decode(ids)
        content = b"".join(tokenizer.token_bytes(i) for i in ids if i != tokenizer.eos_id)
        assert text == content.decode("utf-8", errors="replace")
        assert text == tokenizer.backend.decode(ids, skip_special_tokens=True)
        assert "".join(stream_text(tokenizer, ids)) == text


def test_half_characters_are_refused_everywhere(tokenizer):
    """1,000 texts with a lone surrogate: an error with its index, and advice that works."""
    rng, bpe = random.Random(6), tokenizer.byte_pair_encoding()
    for _ in range(1000):
        before = random_text(rng)
        text = before + chr(rng.randrange(0xD800, 0xE000)) + random_text(rng)
        for encode in (tokenizer.encode, bpe.encode):
            with pytest.raises(ValueError, match=rf"lone surrogate .* index {len(before)};"):
                encode(text)
        mended = text.encode("utf-8", "replace").decode("utf-8")
        assert tokenizer.decode(tokenizer.encode(mended)) == mended


def test_a_long_run_of_one_character_decodes_to_itself(tokenizer):
    """100,000 equal characters: the library merges them in a moment, and none is lost."""
    for char in (" ", "a", "\n", "🙂", "\x85"):
        text = char * 100_000
        assert tokenizer.decode(tokenizer.encode(text)) == text
