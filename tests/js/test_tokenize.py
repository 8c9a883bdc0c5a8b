"""js/tokenize.js: the tokenizer in the page gives the ids that the library `tokenizers` gives."""

import random

import pytest
from explorer_page import page_tokenizer

from oneprompt import PROMPT
from oneprompt.js.page_model import page_tokenizer as page_data_of

# White space as Unicode and as JavaScript define it, characters of one to four bytes, combining
# marks, emoji.
ALPHABET = (
    "abcXYZ0129 \t\n\r\v\f\x1c\x85\xa0\u1680\u2003\u2028\u202f\u3000\ufeff\u200b\u200d.,;!?'\"-_()"
    "éßøñ\u0301शि中文한שלוםمرحبا😀🏳️‍🌈👩‍🚀\x00\x07\ufffd\U0010ffff½²Ⅷ"
)
LONG = 150_000  # letters: more than a call takes arguments
WORDS = ("don't", "we'll", "'S", "  ", "<|endoftext|>", "learning", " machine", "\r\n", "1234567")


def random_texts(n: int) -> list[str]:
    rng = random.Random(0)
    texts = []
    for _ in range(n):
        parts = rng.choices(ALPHABET, k=rng.randint(0, 24)) + rng.choices(
            WORDS, k=rng.randint(0, 3)
        )
        rng.shuffle(parts)
        texts.append("".join(parts))
    return texts


def test_every_text_has_the_same_ids_and_decodes_to_itself(in_node, tokenizer):
    texts = ["", PROMPT, *random_texts(2000)]
    found = in_node(
        """(texts) => texts.map((text) => {
          const ids = onePrompt.tokenizer.encode(text);
          return [ids, onePrompt.tokenizer.decode(ids)];
        })""",
        texts,
    )
    for text, (ids, back) in zip(texts, found, strict=True):
        assert ids == tokenizer.encode(text), repr(text)
        assert back == text


@pytest.fixture
def small_tokenizer(node):
    """`globalThis.bpe` in Node; Python's tokenizer."""
    tokenizer = page_tokenizer()
    data = page_data_of(tokenizer)
    node.run("(data) => { globalThis.bpe = makeTokenizer(data); }", "js/tokenize.js", argument=data)
    return tokenizer


def test_a_long_piece_is_encoded_as_python_encodes_it(node, small_tokenizer):
    for letter in ("a", "x", "é"):
        text = letter * LONG
        assert node.run("(text) => bpe.encode(text)", argument=text) == small_tokenizer.encode(text)
