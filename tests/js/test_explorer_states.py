"""Every explorer computes a prompt's traits alike in Python and in JavaScript."""

import pytest
from explorer_page import page_pair, page_tokenizer

from oneprompt.explorers import (
    AttentionExplorer,
    EmbedExplorer,
    FeedForwardExplorer,
    LogitsExplorer,
    PositionExplorer,
    TokenizeExplorer,
)
from oneprompt.js.page_model import page_data

TOKENIZER = page_tokenizer()
TARGET, DRAFT = page_pair()
EXPLORERS = {
    "attention": lambda: AttentionExplorer(TARGET, TOKENIZER),
    "embed": lambda: EmbedExplorer(TARGET, TOKENIZER),
    "feedforward": lambda: FeedForwardExplorer(TARGET, TOKENIZER),
    "logits": lambda: LogitsExplorer(TARGET, TOKENIZER),
    "position": lambda: PositionExplorer(TARGET, TOKENIZER),
    "tokenize": lambda: TokenizeExplorer(TOKENIZER),
}
TEXTS = [
    "What is machine learning?",
    "a field",
    "é.",
    "a",  # one token: too short for the position explorer
    "  ",
    " A B  A B",
    "machine machine",
    "don't",
    "naïve 😀",
    "שלום <b>&",
    "a b " * 200,  # too many tokens, for all but the position explorer
]
# Prompts that no explorer shows, and what all of them say.
REFUSED = {
    "": "The prompt is empty: type a question.",
    "a" * 150_000: "The prompt has 150,000 characters, and at most 1,000 fit here: shorten it.",
    "😀" * 1001: "The prompt has 1,001 characters, and at most 1,000 fit here: shorten it.",
    "a \ud800 b": "The prompt has a lone surrogate (half a character): remove it.",
}
# The traits of a prompt, or why it is refused.
COMPUTE = """async ({ state, text, encodes }) => {
  const page = encodes ? lm : { ...lm, tokenizer: {} };
  try {
    return await compute(page, text, (trait) => state[trait], () => true);
  } catch (error) {
    return error.message;
  }
}"""


@pytest.fixture(scope="module")
def lm(node):
    """`globalThis.lm` in Node: the small pair."""
    data = page_data(TOKENIZER, {"reference": TARGET, "draft": DRAFT})
    page = "js/page.js"
    node.run("(data) => { globalThis.lm = makePage(data); }", page, argument=data)
    return node


def in_python(explorer, text: str):
    """The traits of a prompt, or why it is refused."""
    try:
        return explorer.compute(text)
    except ValueError as error:
        return str(error)


def in_javascript(lm, name: str, explorer, text: str, encodes=True):
    """The same; without `encodes` the page's tokenizer does nothing."""
    argument = {"state": explorer.state(), "text": text, "encodes": encodes}
    return lm.run(COMPUTE, f"explorers/{name}/state.js", argument=argument)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", EXPLORERS)
def test_python_and_javascript_compute_the_same_traits(name, text, lm):
    explorer = EXPLORERS[name]()
    assert_alike(in_javascript(lm, name, explorer, text), in_python(explorer, text))


@pytest.mark.parametrize("name", EXPLORERS)
def test_computing_changes_nothing(name):
    explorer = EXPLORERS[name]()
    before = explorer.state()
    in_python(explorer, "a field")
    assert explorer.state() == before


@pytest.mark.parametrize("name", EXPLORERS)
def test_what_no_explorer_shows_is_refused_before_it_is_encoded(name, lm):
    explorer = EXPLORERS[name]()
    explorer.tokenizer = None  # neither Python's nor JavaScript's is asked
    for text, words in REFUSED.items():
        assert in_python(explorer, text) == words
        assert in_javascript(lm, name, explorer, text, encodes=False) == words


def assert_alike(found, expected, path="") -> None:
    """Equal texts and integers; numbers within 1e-3 of each other, which is less than is drawn.

    JavaScript adds in another order than torch, so a count, a rank or a rounded level might differ
    by one. None does in these texts, not even if every weight is moved by a millionth.
    """
    if isinstance(expected, dict):
        assert isinstance(found, dict), f"{path}: {found!r}"
        assert found.keys() == expected.keys(), path
        for key, value in expected.items():
            assert_alike(found[key], value, f"{path}.{key}")
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), path
        for i, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_alike(one, other, f"{path}[{i}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-3), path
    else:
        assert found == expected, path
