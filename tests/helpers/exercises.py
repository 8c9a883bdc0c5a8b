"""What the tests of the exercises check about a wrong answer."""

from oneprompt.checks import diagnose


def assert_wrong(exercise: str, answer, words: str) -> None:
    """The answer is wrong, and the message contains the words that name the cause."""
    verdict = diagnose(exercise, answer)
    assert verdict.status == "wrong"
    assert words in verdict.message
