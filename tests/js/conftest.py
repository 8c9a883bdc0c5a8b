"""The model in the page, in Node."""

import pytest

import oneprompt as op
from oneprompt.js.page_model import page_data


@pytest.fixture(scope="session")
def in_node(node):
    """Evaluates JavaScript where `onePrompt` is the reference pair, as on a page."""
    models = {name: op.load_model(name) for name in ("reference", "draft")}
    node.run(
        "(data) => { globalThis.onePrompt = makePage(data); }",
        "js/page.js",
        argument=page_data(op.load_tokenizer(), models),
    )
    return lambda script, argument=None: node.run(script, argument=argument)


@pytest.fixture(scope="session")
def tokenizer():
    return op.load_tokenizer()


@pytest.fixture(scope="session")
def model():
    return op.load_model("reference")
