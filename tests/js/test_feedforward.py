"""js/model.js: what comes next when units of a block write nothing."""

import pytest
import torch
from explorer_page import page_pair, page_tokenizer

from oneprompt.js.page_model import page_data
from oneprompt.units import logits_without_units

WITHOUT = """({ data, ids, layer, silent }) => {
  const lm = makePage(data);
  const model = lm.model("reference");
  return Array.from(lm.withoutUnits(model, lm.forward(model, ids), layer, silent));
}"""


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("silent", [[], [3], [0, 5, 60], range(64)])
def test_units_are_silenced_as_in_python(node, layer, silent):
    model, draft = page_pair()
    assert model.config.d_ff == 64
    ids = [1, 4, 2, 7]
    argument = {
        "data": page_data(page_tokenizer(), {"reference": model, "draft": draft}),
        "ids": ids, "layer": layer, "silent": list(silent),
    }  # fmt: skip
    found = node.run(WITHOUT, "js/page.js", argument=argument)
    expected = logits_without_units(model, torch.tensor(ids), layer, silent)
    assert found == pytest.approx(expected.tolist(), abs=1e-3)
