"""explorers/kit: numbers and tokens as texts, and the ends of axes."""

import pytest

from oneprompt.notebook import visible


def test_numbers_have_three_digits_and_no_exponent(node):
    numbers = [0, -0.45, 4.1, 12.345, 298123.4, 0.000123, -0.0156, 999.6]
    texts = node.run("(all) => all.map(number)", "explorers/kit/numbers.js", argument=numbers)
    assert texts == ["0", "−0.450", "4.10", "12.3", "298,000", "0.000123", "−0.0156", "1,000"]


def test_a_number_that_rounds_to_zero_as_text_is_still_drawn(node):
    text = node.run("number(1e-30)", "explorers/kit/numbers.js")
    assert float(text) == pytest.approx(0, abs=1e-20)


def test_fixed_decimals_have_a_minus_sign_only_where_a_digit_is_left(node):
    pairs = [[-0.004, 2], [-0.45, 1], [3, 2]]
    texts = node.run(
        "(all) => all.map(([value, decimals]) => fixed(value, decimals))",
        "explorers/kit/numbers.js",
        argument=pairs,
    )
    assert texts == ["0.00", "−0.5", "3.00"]


def test_a_percentage_is_zero_only_where_nothing_is_left(node):
    texts = node.run("[0, 0.0004, 0.0123, 0.5, 1].map(percent)", "explorers/kit/numbers.js")
    assert texts == ["0 %", "<0.1 %", "1.2 %", "50.0 %", "100.0 %"]


def test_white_space_and_control_characters_of_a_token_are_made_visible(node):
    text = node.run("tokenText(' a\\n\\t\\u200b')", "explorers/kit/element.js")
    assert text == visible(" a\n\t\u200b") == "␣a↵⇥\\u200b"


def test_an_axis_holds_its_values_and_ends_on_round_numbers(node):
    spans = [[-0.22, 4.56], [4.1, 4.1], [-17.01, -1.51], [0, 0], [-3.9, 1000]]
    ends = node.run(
        "(spans) => spans.map(([low, high]) => axisEnds(low, high, 2))",
        "explorers/kit/charts.js",
        argument=spans,
    )
    for (low, high), (bottom, top) in zip(spans, ends, strict=True):
        assert bottom <= low <= high <= top
        assert top - bottom <= 2 * max(high - low, 2)
        for end in (bottom, top):
            assert float(f"{end:.2g}") == pytest.approx(end)
