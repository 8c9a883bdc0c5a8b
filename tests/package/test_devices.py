"""The devices of a chapter refuse what a reader could not use."""

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_hex

from oneprompt import ModelConfig
from oneprompt.notebook import Answer, Predict, drawing, legend, pipeline
from oneprompt.notebook.drawing.marks import MAX_WIDTH, color
from oneprompt.notebook.style import ABOVE, INK, PALETTE, RC_PARAMS


def test_a_prediction_needs_its_answer_among_the_options_and_a_reason():
    with pytest.raises(ValueError, match="'4' is not an option"):
        Predict("p", "2 + 2?", ["3", "5"], answer="4", reason="Count.")
    with pytest.raises(ValueError, match="needs a reason"):
        Predict("p", "2 + 2?", ["3", "4"], answer="4", reason=" ")


def test_a_prediction_shows_its_result_after_the_summary_only():
    result = drawing.cells([[1, 2]], alt="one and two")
    html = Predict("p", "What?", ["a", "b"], answer="a", reason="So.", result=result)._repr_html_()
    assert html.index("<summary>") < html.index("one and two")
    assert "<b>" not in Predict("p", "<b>?", answer="<b>", reason="So.").html()


def test_an_answer_field_takes_exercises_by_hand_only():
    with pytest.raises(ValueError, match="asks for a function"):
        Answer("attention.causal_attention")
    with pytest.raises(ValueError, match="has 2 answers and 1 labels"):
        Answer("autoregress.by_hand", "one")
    assert Answer("autoregress.by_hand").html().count("<input") == 2


DRAWINGS = [
    drawing.arrows({"q": (2, 1), "k": ((1, 0), (1, 3))}, alt="a"),
    drawing.cells(
        torch.tensor([[1.0, -0.5]]), row_names=["What"], column_names=["a", "b"], alt="a"
    ),
    drawing.boxes({"a": (0, 0), "b": (1, 1)}, [("a", "b", "so")], around=[("a", "b")], alt="a"),
    drawing.bars({"␣Machine": 0.4, "␣It": -0.1}, alt="a"),
    drawing.curves({"up": [0, 1, 2], "down": [2, 1, 0]}, x_name="t", alt="a"),
    drawing.beside(drawing.cells([1, 2]), "×", drawing.cells([[3], [4]]), alt="a"),
]


@pytest.mark.parametrize("made", DRAWINGS, ids=range(len(DRAWINGS)))
def test_a_drawing_shows_as_html_as_a_plain_picture_and_as_text(made):
    shown = made._repr_mimebundle_()
    assert shown.keys() == {"text/plain", "text/html", "image/svg+xml"}
    assert shown["text/plain"] == "Drawing: a"
    assert 'aria-label="a"' in shown["text/html"]
    assert shown["image/svg+xml"].startswith("<svg ")
    assert "nan" not in shown["text/html"]


@pytest.mark.parametrize("made", DRAWINGS, ids=range(len(DRAWINGS)))
def test_a_plain_picture_needs_no_style_sheet(made):
    """GitHub and nbviewer clean a picture of what is neither an element nor a simple attribute."""
    picture = made._repr_mimebundle_()["image/svg+xml"]
    assert not re.search(r"<style|style=|var\(|class=", picture)
    painted = set(re.findall(r'(?:fill|stroke)="([^"]+)"', picture)) - {"none"}
    assert painted <= {*PALETTE.values(), INK + "88"}
    assert painted


def test_a_drawing_without_alternative_text_is_not_shown():
    with pytest.raises(ValueError, match="needs `alt`"):
        drawing.bars({"a": 1}).html()


def test_a_drawing_that_is_too_wide_for_a_phone_is_refused():
    with pytest.raises(ValueError, match=f"at most {MAX_WIDTH}"):
        drawing.cells([["a long word"] * 5], alt="a")


def test_cells_write_numbers_as_the_book_does():
    body = drawing.cells([[1.0, -0.256, -0.001, float("-inf"), None, "ln 2"]], alt="a").body
    assert re.findall(r">([^<>]+)</text>", body) == ["1", "−0.26", "0.00", "−∞", "ln 2"]


def test_texts_in_a_drawing_are_escaped():
    assert "<img" not in drawing.cells([["<img>"]], alt="<img>", title="<img>").html()


def test_an_unknown_color_is_refused():
    with pytest.raises(ValueError, match="unknown color 'pink'; choose from blue, orange"):
        color("pink")


def test_the_legend_has_the_models_own_values():
    config = ModelConfig()
    assert f"D = {config.d_model:,}</dt>" in legend("T", "D").html()
    assert f"L = {config.n_layers:,}</dt>" in legend("L").html()
    with pytest.raises(ValueError, match=r"unknown letters \['Q'\]; choose from T, D"):
        legend("Q")


def test_the_picture_of_the_model_holds_the_prompts_own_data():
    html, config = pipeline("attention").html(), ModelConfig()
    for words in ("␣learning", f"{config.vocab_size:,} scores", f"{config.n_heads} heads"):
        assert words in html
    assert f"There are {config.n_layers}," in html


def test_matplotlib_draws_lines_and_heatmaps_in_the_books_style():
    with mpl.rc_context(RC_PARAMS):
        figure, place = plt.subplots()
        place.hlines([0], [0], [1])  # it looks its colormap up, though it needs none
        image = place.imshow([[0, 1]])
        plt.close(figure)
    assert to_hex(image.cmap(1.0)) == PALETTE[ABOVE]
    assert image.cmap(0.0)[3] == 0  # the ground of the page
