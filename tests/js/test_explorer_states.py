"""Every explorer computes a prompt's traits alike in Python and in JavaScript."""

from functools import cache
from itertools import islice

import pytest
from explorer_page import page_pair, page_tokenizer

import oneprompt as op
from oneprompt.explorers import (
    AttentionExplorer,
    AutoregressExplorer,
    EmbedExplorer,
    FeedForwardExplorer,
    LogitsExplorer,
    MergesExplorer,
    Playground,
    PositionExplorer,
    SamplingExplorer,
    SpeculationExplorer,
    TokenizeExplorer,
)
from oneprompt.explorers.shared import SPECULATE_MAX_NEW, SPECULATE_SEEDS
from oneprompt.js.page_model import packed, page_data
from oneprompt.sample import uniforms
from oneprompt.tuned_lens import glossary_lens

TOKENIZER = page_tokenizer()
TARGET, DRAFT = page_pair()
LENS_MAPS = glossary_lens(TARGET, TOKENIZER)
EXPLORERS = {
    "attention": lambda: AttentionExplorer(TARGET, TOKENIZER),
    "autoregress": lambda: AutoregressExplorer(TARGET, TOKENIZER),
    "embed": lambda: EmbedExplorer(TARGET, TOKENIZER),
    "feedforward": lambda: FeedForwardExplorer(TARGET, TOKENIZER),
    "logits": lambda: LogitsExplorer(TARGET, TOKENIZER, lens_maps=LENS_MAPS),
    "merges": lambda: MergesExplorer(prompt="learn learn earn ear art"),
    "playground": lambda: Playground(TARGET, DRAFT, TOKENIZER),
    "position": lambda: PositionExplorer(TARGET, TOKENIZER),
    "sample": lambda: SamplingExplorer(TARGET, TOKENIZER),
    "speculate": lambda: SpeculationExplorer(TARGET, DRAFT, TOKENIZER),
    "tokenize": lambda: TokenizeExplorer(TOKENIZER),
}
TEXTS = [
    op.PROMPT,
    "a field",
    "é.",
    "a",  # one token: too short for the position explorer
    "  ",  # blank: nothing to answer for the playground
    " A B  A B",
    "machine machine",
    "don't",
    "naïve 😀",
    "שלום <b>&",
    "<img onerror=f()>",
    "What is a KV-cache",  # more tokens than the playground reads at a time
    "a b " * 200,  # too many tokens, for all but the position explorer
]
FEW = {"speculate": [op.PROMPT, "naïve 😀", "a b " * 200]}  # forty generations per text
CASES = [(name, text) for name in EXPLORERS for text in FEW.get(name, TEXTS)]
COARSE = {"inputs": 5.1e-3}  # Python rounds the units' inputs, of which there are many, to 1e-2
# Prompts that no explorer shows, and the message that all of them give.
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
# A page in the background waits for no frame, so that `painted` needs nothing else. The page's own
# random numbers differ from Python's; given Python's, the sampled texts must be equal.
SURROUNDINGS = """(numbers) => {
  globalThis.document = { hidden: true };
  lm.random = (seed) => {
    let n = 0;
    return () => numbers[seed][n++];
  };
}"""

make = cache(lambda name: EXPLORERS[name]())


@pytest.fixture(scope="module")
def lm(node):
    """`globalThis.lm` in Node: the small pair."""
    data = page_data(TOKENIZER, {"reference": TARGET, "draft": DRAFT})
    page = "js/page.js"
    node.run("(data) => { globalThis.lm = makePage(data); }", page, argument=data)
    most = 3 * SPECULATE_MAX_NEW  # two numbers per id, and those of ids dropped after a stop id
    numbers = {s: list(islice(uniforms(s), most)) for n in SPECULATE_SEEDS for s in (n, -n)}
    node.run(SURROUNDINGS, argument=numbers)
    loaded = "(maps) => { globalThis.onePromptLensLoading = Promise.resolve(maps); }"
    node.run(loaded, argument=packed(LENS_MAPS))
    return node


def in_python(name: str, text: str):
    """The traits of a prompt, or why it is refused."""
    try:
        return make(name).compute(text)
    except ValueError as error:
        return str(error)


def in_javascript(lm, name: str, text: str, encodes=True):
    """The same; without `encodes` the page's tokenizer does nothing."""
    argument = {"state": make(name).state(), "text": text, "encodes": encodes}
    return lm.run(COMPUTE, f"explorers/{name}/state.js", argument=argument)


@pytest.mark.parametrize(("name", "text"), CASES)
def test_python_and_javascript_compute_the_same_traits(name, text, lm):
    assert_alike(in_javascript(lm, name, text), in_python(name, text))


def test_speculation_agrees_on_small_probabilities_too(lm):
    """Python has four digits of float32 sums in another order; what is near 0 may be 0."""
    kinds = set()
    for text in (op.PROMPT, "naïve 😀"):
        found, expected = in_javascript(lm, "speculate", text), in_python("speculate", text)
        assert_alike(found, expected, rel=2e-3, atol=1e-6)
        found, expected = found["data"], expected["data"]
        assert found["acceptance"] == pytest.approx(expected["acceptance"])
        for mode in ("greedy", "sampled"):
            assert found["expected"][mode] == pytest.approx(expected["expected"][mode], rel=1e-3)
        for block in (b for runs in found["runs"] for run in runs for b in run):
            kinds.add((block["own"] is None, block["kept"] < len(block["drafted"])))
    assert {(False, True), (False, False)} <= kinds  # rejections and bonuses


@pytest.mark.parametrize("name", EXPLORERS)
def test_computing_changes_nothing(name):
    before = make(name).state()
    in_python(name, "a field")
    assert make(name).state() == before


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_prompt_that_cannot_be_shown_is_refused_before_it_is_encoded(name, lm, monkeypatch):
    # Neither Python's nor the page's is used; the explorer of merges has none.
    monkeypatch.setattr(make(name), "tokenizer", None, raising=False)
    for text, words in REFUSED.items():
        assert in_python(name, text) == words
        assert in_javascript(lm, name, text, encodes=False) == words


def assert_alike(found, expected, path="", rel=1e-3, atol=1.1e-3) -> None:
    """Equal texts and integers; numbers within 1e-3 of each other, which is too little to see.

    Some are rounded to 1e-3, and two neighbors may differ by a little more, as floats do.
    JavaScript adds in another order than torch, so a count, a rank or a rounded level might differ
    by one. None does in these texts, even if every weight is changed by a millionth.
    """
    if isinstance(expected, dict):
        assert isinstance(found, dict), f"{path}: {found!r}"
        assert found.keys() == expected.keys(), path
        for key, value in expected.items():
            assert_alike(found[key], value, f"{path}.{key}", rel, COARSE.get(key, atol))
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), path
        for i, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_alike(one, other, f"{path}[{i}]", rel, atol)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=rel, abs=atol), path
    else:
        assert found == expected, path
