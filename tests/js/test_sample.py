"""From logits to probabilities: JavaScript and Python agree under every setting."""

import torch
from sampler_grid import GRID, sampling_of

from oneprompt import PROMPT
from oneprompt.sample import probabilities


def test_probabilities_equal_pythons(in_node, model, tokenizer):
    ids = tokenizer.encode(PROMPT)
    logits = model(torch.tensor([ids]))[0, -1]
    found = in_node(
        """({ logits, grid, ids }) =>
          grid.map((settings) => onePrompt.distribution(logits, settings, ids).probabilities)""",
        {"logits": logits.tolist(), "grid": GRID, "ids": ids},
    )
    for settings, in_js in zip(GRID, found, strict=True):
        expected = probabilities(logits, sampling_of(settings), ids)
        torch.testing.assert_close(
            torch.tensor(in_js, dtype=torch.float64), expected, rtol=0, atol=1e-6
        )
