"""Every explorer computes a prompt's traits alike in Python and in JavaScript."""

import pytest
from explorer_page import page_pair, page_tokenizer

from oneprompt.explorers import AttentionExplorer
from oneprompt.js.page_model import page_data

TOKENIZER = page_tokenizer()
TARGET, DRAFT = page_pair()
EXPLORERS = {
    "attention": lambda: AttentionExplorer(TARGET, TOKENIZER),
}


@pytest.fixture(scope="module")
def lm(node):
    """`globalThis.lm` in Node: the small pair."""
    data = page_data(TOKENIZER, {"reference": TARGET, "draft": DRAFT})
    page = "js/page.js"
    node.run("(data) => { globalThis.lm = makePage(data); }", page, argument=data)
    return node


@pytest.mark.parametrize("text", ["What is machine learning?", "a field", "é."])
@pytest.mark.parametrize("name", EXPLORERS)
def test_python_and_javascript_compute_the_same_traits(name, text, lm):
    explorer = EXPLORERS[name]()
    found = lm.run(
        "({ state, text }) => compute(lm, text, (trait) => state[trait], () => true)",
        f"explorers/{name}/state.js",
        argument={"state": explorer.state(), "text": text},
    )
    assert_alike(found, explorer.compute(text))


def assert_alike(found, expected, path="") -> None:
    """Equal texts and integers; numbers within 1e-3 of each other, which is less than is drawn."""
    if isinstance(expected, dict):
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
