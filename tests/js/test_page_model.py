"""The script that a built page loads: the model in Chromium, and the models that it refuses."""

import pytest
import torch

import oneprompt as op
from oneprompt import PROMPT
from oneprompt.js.page_model import page_weights

GREEDY = {"temperature": 0, "top_k": 0, "top_p": 1, "min_p": 0, "order": []}


def test_the_built_script_gives_pythons_logits_and_answer_in_chromium(page, site, model, tokenizer):
    """The mathematics is tested in Node; this shows that the book's file runs where it is read."""
    page.set_default_timeout(60_000)
    page.goto(f"{site}book/index.html")
    page.add_script_tag(url=f"{site}_static/page_model.js")
    ids = page.evaluate("(text) => onePrompt.tokenizer.encode(text)", PROMPT)
    assert ids == tokenizer.encode(PROMPT)
    logits = page.evaluate(
        """(ids) => {
          const model = onePrompt.model("reference");
          return Array.from(onePrompt.toLogits(model, onePrompt.forward(model, ids).final_norm));
        }""",
        ids,
    )
    expected = model(torch.tensor([ids]))[0, -1]
    torch.testing.assert_close(torch.tensor(logits), expected, rtol=0, atol=1e-3)
    answer = page.evaluate(
        """([ids, greedy]) => [...onePrompt.generate(
          onePrompt.model("reference"), ids, 80, greedy, () => 0.5)]
          .filter(Boolean).map((step) => step.token_id)""",
        [ids, GREEDY],
    )
    assert answer == op.generate(model, ids, 80).ids


def test_a_model_of_another_architecture_is_refused():
    config = op.ModelConfig(vocab_size=40, d_model=16, n_layers=1, n_heads=2, norm="rmsnorm")
    with pytest.raises(ValueError, match="rmsnorm"):
        page_weights(op.Transformer(config))
