"""The sizes that book/notation.md lists are the reference model's."""

import re
from pathlib import Path

from oneprompt import ModelConfig

NOTATION = Path(__file__).parents[2] / "book" / "notation.md"


def test_the_sizes_are_the_reference_models():
    size_row = r"\| `(\w+)` \|[^|]*\| ([\d,]+) \| [\d,]+ \|"
    rows = re.findall(size_row, NOTATION.read_text(encoding="utf-8"))
    listed = {name: int(value.replace(",", "")) for name, value in rows}
    assert len(listed) == 8, f"expected the eight sizes of ModelConfig, found {sorted(listed)}"
    config = ModelConfig()
    assert listed == {name: getattr(config, name) for name in listed}
