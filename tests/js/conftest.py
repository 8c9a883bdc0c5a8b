"""The model in the page, in Node."""

import pytest

from oneprompt.js.page_model import page_data


@pytest.fixture(scope="session")
def in_node(node, tokenizer, model, draft):
    """Evaluates JavaScript where `onePrompt` is the reference pair, as on a page."""
    node.run(
        "(data) => { globalThis.onePrompt = makePage(data); }",
        "js/page.js",
        argument=page_data(tokenizer, {"reference": model, "draft": draft}),
    )
    return lambda script, argument=None: node.run(script, argument=argument)
