"""The model in the page, in Node."""

import pytest
from explorer_page import page_pair, page_tokenizer

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


@pytest.fixture(scope="session")
def small_pair(node):
    """A target and a draft that answer instantly, which Node has as `small`."""
    target, draft = page_pair(context_length=40)
    node.run(
        "(data) => { globalThis.small = makePage(data); }",
        "js/page.js",
        argument=page_data(page_tokenizer(), {"reference": target, "draft": draft}),
    )
    return target, draft
