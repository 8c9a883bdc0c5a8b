"""js/tokenize.js: byte pair encoding on a page."""

import pytest
from explorer_page import page_tokenizer

from oneprompt.js.page_model import page_tokenizer as page_data_of

LONG = 150_000  # letters: more than a call takes arguments


@pytest.fixture(scope="module")
def tokenizer(node):
    """`globalThis.bpe` in Node; Python's tokenizer."""
    tokenizer = page_tokenizer()
    data = page_data_of(tokenizer)
    node.run("(data) => { globalThis.bpe = makeTokenizer(data); }", "js/tokenize.js", argument=data)
    return tokenizer


def test_a_long_piece_is_encoded_as_python_encodes_it(node, tokenizer):
    for letter in ("a", "x", "é"):
        text = letter * LONG
        assert node.run("(text) => bpe.encode(text)", argument=text) == tokenizer.encode(text)
