"""Our BPE gives the ids of the library, and any text decodes to itself."""

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from questions import training_texts

from oneprompt.tokenize import (
    EOS,
    BytePairEncoding,
    Tokenizer,
    load_tokenizer,
    merge_pair,
    pre_tokenize,
)

PROMPT = "What is machine learning?"
ODD_PIECES = (
    "\ufeff", "\x85", "\xa0", "\u2028", "\u200b", "\u200d", "\t", "\n", "\r\n", " ", "  ", "\x00",
    "\x1c", "\x1f", "'s", "'LL", "’s", "don't", "é", "e\u0301", "ß", "中文", "한글", "عربى",
    "हिन्दी", "🙂", "👩🏽\u200d🚀", "🇩🇪", "½", "Ⅳ", "٣", "12345", "_", "...", "?!", EOS, "<|", "|>",
    "\ufffd", "\U0010ffff", "machine learning", " token", "Machine",
)  # fmt: skip


@pytest.fixture(scope="module")
def documents() -> list[str]:
    return training_texts(300)


@pytest.fixture(scope="module")
def tokenizer(documents) -> Tokenizer:
    """Trained as the reference tokenizer is, on less text: enough for about 1,500 merges."""
    return Tokenizer.train(documents, vocab_size=1800)


@pytest.fixture(scope="module")
def bpe(tokenizer) -> BytePairEncoding:
    return tokenizer.byte_pair_encoding()


def random_text(rng: random.Random, words: list[str]) -> str:
    """Words of the corpus, odd pieces and single characters from all of Unicode."""
    pieces = []
    for _ in range(rng.randint(0, 12)):
        kind = rng.random()
        if kind < 0.4:
            pieces.append(rng.choice(words))
        elif kind < 0.8:
            pieces.append(rng.choice(ODD_PIECES))
        else:
            pieces.append(random_character(rng))
        pieces.append(rng.choice(("", "", " ")))
    return "".join(pieces)


def random_character(rng: random.Random) -> str:
    # Unassigned code points are left out: `regex` and `tokenizers` follow different versions of
    # Unicode, so a character may be a letter in one and unknown in the other.
    while True:
        char = chr(rng.randrange(0x110000))
        if unicodedata.category(char) not in ("Cn", "Cs"):
            return char


def test_our_bpe_encodes_as_the_library_does(tokenizer, bpe, documents):
    rng = random.Random(0)
    words = " ".join(documents).split()
    texts = [random_text(rng, words) for _ in range(2500)] + documents[:50] + list(ODD_PIECES)
    for text in texts:
        ids = bpe.encode(text)
        assert ids == tokenizer.encode(text), repr(text)
        assert bpe.decode(ids) == tokenizer.decode(ids) == text


def test_the_reference_tokenizer_gives_the_ids_of_our_bpe():
    tokenizer = load_tokenizer()
    text = f"{PROMPT} 🙂 {EOS}"
    assert tokenizer.byte_pair_encoding().encode(text) == tokenizer.encode(text)


def test_our_bpe_splits_as_the_library_does(tokenizer):
    """Every white space and control character and some others, where they make a difference."""
    assigned = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs")]
    telling = [c for c in assigned if c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Zs")]
    library = tokenizer.backend.pre_tokenizer
    for char in telling + random.Random(0).sample(assigned, 3000):
        text = f"a{char}{char} {char}1"
        spans = [span for _, span in library.pre_tokenize_str(text)]
        assert pre_tokenize(text) == [text[start:end] for start, end in spans], f"U+{ord(char):04X}"


@given(text=st.text())
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_any_text_decodes_to_itself(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert "".join(pre_tokenize(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "the cat sat on the mat, the cat ate the rat; that is that",
        "aaaa aaa aa aaaaaaa baaab abab ababab",  # pairs that overlap with themselves
        "déjà vu 中文中文 🙂🙂🙂 \n\n\n don't won't",
    ],
)
def test_training_finds_the_merges_of_the_library(text):
    """With several texts, the most frequent pair is often tied, so this tests the tie rule too."""
    ours = BytePairEncoding.train(text, vocab_size=300)
    assert len(ours.merges) > 10
    assert ours.merges == Tokenizer.train([text], vocab_size=300).byte_pair_encoding().merges


def test_training_on_real_text_finds_the_merges_of_the_library(documents):
    ours = BytePairEncoding.train(" ".join(documents[:8]), vocab_size=420)
    theirs = Tokenizer.train([" ".join(documents[:8])], vocab_size=420).byte_pair_encoding()
    assert len(ours.merges) == 420 - 257
    assert ours.merges == theirs.merges
    assert ours.ids == theirs.ids


def test_training_stops_when_no_pair_is_left():
    assert BytePairEncoding.train("ab ab", vocab_size=1000).merges == [
        (b"a", b"b"),
        (b" ", b"ab"),
    ]


def test_merge_steps_go_from_bytes_to_tokens():
    bpe = BytePairEncoding([(b"l", b"o"), (b"lo", b"w"), (b"e", b"r")])
    assert bpe.merge_steps("lower") == [
        [b"l", b"o", b"w", b"e", b"r"],
        [b"lo", b"w", b"e", b"r"],
        [b"low", b"e", b"r"],
        [b"low", b"er"],
    ]
    assert bpe.merge_steps("é") == [[b"\xc3", b"\xa9"]]


def test_merges_run_from_left_to_right():
    assert merge_pair([b"a", b"a", b"a"], (b"a", b"a")) == [b"aa", b"a"]


def test_token_bytes_are_what_decode_joins(tokenizer):
    for token_id in range(tokenizer.vocab_size):
        if token_id != tokenizer.eos_id:
            expected = tokenizer.token_bytes(token_id).decode("utf-8", errors="replace")
            assert tokenizer.decode([token_id]) == expected
    single = {tokenizer.token_bytes(token_id) for token_id in range(1, 257)}
    assert single == {bytes([b]) for b in range(256)}
    assert tokenizer.token_bytes(tokenizer.eos_id) == EOS.encode()


def test_end_of_sequence_is_a_signal_and_not_text(tokenizer):
    typed = tokenizer.encode(EOS)
    assert tokenizer.eos_id not in typed
    assert tokenizer.decode(typed) == EOS
    assert tokenizer.decode([*typed, tokenizer.eos_id]) == EOS


def test_tokens_of_the_prompt():
    assert load_tokenizer().tokens(PROMPT) == ["What", " is", " machine", " learning", "?"]


def test_part_of_a_character_is_shown_as_a_replacement_character(tokenizer):
    ids = tokenizer.encode("🙂")
    assert len(ids) > 1
    assert tokenizer.tokens("🙂") == ["\ufffd"] * len(ids)
    assert tokenizer.decode(ids) == "🙂"


def test_a_saved_tokenizer_loads_as_the_same(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    assert (loaded.vocab_size, loaded.eos_id) == (tokenizer.vocab_size, tokenizer.eos_id)
    assert loaded.encode(PROMPT) == tokenizer.encode(PROMPT)


@pytest.mark.parametrize("wrong", [None, 5, b"bytes", ["What", " is"]])
def test_anything_but_a_string_is_refused(tokenizer, bpe, wrong):
    for encode in (tokenizer.encode, tokenizer.tokens, bpe.encode):
        with pytest.raises(TypeError, match=f"must be a str, got {type(wrong).__name__}"):
            encode(wrong)


def test_a_lone_surrogate_is_refused_with_how_to_remove_it(tokenizer, bpe):
    text = "half a 🙂: \ud83d"
    for encode in (tokenizer.encode, bpe.encode):
        with pytest.raises(ValueError, match=r"lone surrogate .* index 10; remove it") as error:
            encode(text)
    assert 'text.encode("utf-8", "replace").decode("utf-8")' in str(error.value)
    assert tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"))  # the advice works


@pytest.mark.parametrize("token_id", [-1, 1800, 10**9])
def test_ids_outside_the_vocabulary_are_refused(tokenizer, token_id):
    words = rf"token id {token_id} is outside the vocabulary \(0 to 1799\)"
    for read in (tokenizer.token_bytes, lambda token_id: tokenizer.decode([token_id])):
        with pytest.raises(ValueError, match=words):
            read(token_id)


def test_our_bpe_refuses_ids_outside_the_vocabulary(bpe):
    with pytest.raises(ValueError, match="token id 1800 is outside the vocabulary"):
        bpe.decode([1800])


def test_a_vocabulary_smaller_than_the_256_bytes_is_refused():
    with pytest.raises(ValueError, match="vocab_size of 257, got 256"):
        BytePairEncoding.train("text", vocab_size=256)


def test_a_missing_or_broken_file_is_named(tmp_path):
    path = tmp_path / "tokenizer.json"
    with pytest.raises(FileNotFoundError, match=r"no tokenizer at .*tokenizer\.json"):
        load_tokenizer(path)
    path.write_text('{"model": ')
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a tokenizer\.json"):
        load_tokenizer(path)
