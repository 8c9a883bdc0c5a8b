"""The base of the explorers: live widget and static twin, safe and deterministic."""

import json
import re

import pytest
import traitlets

from oneprompt.explorers.base import Explorer, fallback_table, function_body, script_json
from oneprompt.notebook.style import PALETTE

HOSTILE = "</script><!--<img src=x onerror=alert(1)>&\u2028'\""


class TextExplorer(Explorer):
    """The smallest explorer: one trait."""

    modules = ("distribution.js", "sample.js")
    text = traitlets.Unicode().tag(sync=True)
    private = traitlets.Unicode("not synced")

    def fallback(self):
        return fallback_table("Texts", ["text"], [[self.text]])


def test_the_twin_depends_only_on_the_state():
    assert TextExplorer(text="a").twin() == TextExplorer(text="a").twin()
    assert TextExplorer(text="a").twin() != TextExplorer(text="b").twin()


def test_the_state_is_what_the_explorer_itself_syncs():
    assert TextExplorer(text="a").state() == {"text": "a"}


def test_a_cell_shows_the_widget_and_the_twin():
    explorer = TextExplorer(text="a")
    data, _ = explorer._repr_mimebundle_()
    assert data["text/html"] == explorer.twin()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == "TextExplorer()"


def test_hostile_text_stays_inside_its_elements():
    twin = TextExplorer(text=HOSTILE).twin()
    assert "<img" not in twin
    assert twin.count("</script") == twin.count("<script") == 2
    state = re.search(r'<script type="application/json">(.*)</script>', twin).group(1)
    assert json.loads(state) == {"text": HOSTILE}


def test_state_that_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        script_json({"logit": float("nan")})


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("const a = 1;", "exactly one `export default`"),
        ("export default {};\nexport default {};", "exactly one `export default`"),
        ("import a from 'a';\nexport default {};", "no other import"),
        ("export default {};\nexport const a = 1;", "no other import"),
        ("export default { a: '</SCRIPT>' };", "would end the script"),
        ("export default { a: '<!--' };", "would end the script"),
    ],
)
def test_a_module_that_could_not_run_as_a_classic_script_is_refused(module, message):
    with pytest.raises(ValueError, match=message):
        function_body(module)


def test_every_palette_color_is_a_css_variable():
    for name, color in PALETTE.items():
        assert f"--op-{name}: {color};" in TextExplorer._css


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("background", ["#ffffff", "#14181e", "#111111"])
def test_the_palette_is_visible_on_light_and_dark_pages(background):
    for color in PALETTE.values():
        dark, light = sorted([luminance(color), luminance(background)])
        assert (light + 0.05) / (dark + 0.05) >= 3
