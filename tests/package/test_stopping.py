"""Stop strings that span several tokens."""

import pytest

import oneprompt as op
from oneprompt.stopping import StopStrings


@pytest.fixture(scope="module")
def tokenizer():
    return op.load_tokenizer()


def first_stop(condition, ids) -> int | None:
    """After how many ids the text ends."""
    return next((n for n in range(1, len(ids) + 1) if condition(ids[:n])), None)


@pytest.mark.parametrize(
    ("text", "stop", "before"),
    [
        ("Machine learning is a field. It is old.", ". It", "Machine learning is a field"),
        ("Machine learning is a field.", "chine lear", "Ma"),
        ("a\n\nb", "\n\n", "a"),
        ("naïve café 🙂 ok", "é 🙂", "naïve caf"),
    ],
)
def test_a_string_ends_the_text_wherever_tokens_begin(text, stop, before, tokenizer):
    ids, condition = tokenizer.encode(text), StopStrings(tokenizer, stop)
    n = first_stop(condition, ids)
    assert stop in tokenizer.decode(ids[:n])
    assert stop not in tokenizer.decode(ids[: n - 1])
    assert condition.cut(tokenizer.decode(ids)) == before


def test_the_first_stop_string_to_appear_ends_the_text(tokenizer):
    condition = StopStrings(tokenizer, ["old", "field", "never"])
    assert condition.cut("a field is old") == "a "
    assert condition.cut("nothing of it") == "nothing of it"
    assert first_stop(condition, tokenizer.encode("nothing of it")) is None


@pytest.mark.parametrize("strings", ["", [], ["a", ""]])
def test_empty_strings_are_refused(strings, tokenizer):
    with pytest.raises(ValueError, match="must not be empty"):
        StopStrings(tokenizer, strings)
