"""A prompt that cannot be shown is refused with the same message by Python and by the page."""

import pytest
from node import JavaScriptError

from oneprompt import PROMPT
from oneprompt.explorers.prompts import prompt_ids

MOST = 24
SCRIPT = "({ text, most }) => promptIds(onePrompt.tokenizer, text, most)"
MODULE = "explorers/kit/prompt_ids.js"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "prompt is empty"),
        ("a \ud800 b", "lone surrogate"),
        ("word " * 100, r"has \d+ tokens, and at most 24 fit here"),
        ("word " * 2000, "has 10,000 characters, and at most 1,000 fit here"),
        ("\udfff" * 1001, "has 1,001 characters, and at most 1,000 fit here"),
        ("🙂" * 1001, "has 1,001 characters, and at most 1,000 fit here"),  # each two in JavaScript
    ],
    ids=["empty", "half a character", "tokens", "characters", "half characters", "pairs"],
)
def test_a_prompt_is_refused_in_pythons_words(text, words, in_node, node, tokenizer):
    with pytest.raises(ValueError, match=words) as expected:
        prompt_ids(tokenizer, text, MOST)
    with pytest.raises(JavaScriptError) as found:
        node.run(SCRIPT, MODULE, argument={"text": text, "most": MOST})
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("text", [PROMPT, "🙂", "a" * 24, "\n"])
def test_a_prompt_that_fits_has_pythons_ids(text, in_node, node, tokenizer):
    found = node.run(SCRIPT, MODULE, argument={"text": text, "most": MOST})
    assert found == prompt_ids(tokenizer, text, MOST)
