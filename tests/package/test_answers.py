"""From a question to its answer: one at a time, in batches, and what counts as a right one."""

import pytest

import oneprompt as op
from oneprompt import PROMPT, answers
from oneprompt.corpus.documents import CANONICAL, ask

ENTRIES = {entry.term: entry for entry in op.load_glossary()}
FIRST = next(iter(ENTRIES.values()))


def test_any_model_can_be_asked_a_question(model, draft, tokenizer):
    """By default the reference model, which is not loaded again for each question."""
    for other in (model, draft):
        made = op.generate(other, tokenizer.encode(PROMPT), answers.LONGEST_ANSWER)
        assert op.answer(PROMPT, model=other, tokenizer=tokenizer) == (
            tokenizer.decode(made.ids).strip()
        )
    assert op.answer(PROMPT) == op.answer(PROMPT, model=model)
    assert answers._reference_model() is answers._reference_model()


def test_a_wrong_answer_is_counted_as_wrong():
    """The measure can fail: the answer to one question does not define another term."""
    text = op.answer(PROMPT)
    assert answers.names_and_defines(FIRST, text)
    assert not answers.names_and_defines(ENTRIES["deep learning"], text)
    assert not answers.defines(FIRST, "It is something else.")


def test_answers_in_a_batch_equal_those_asked_one_at_a_time(model, tokenizer):
    """Some are short and some long, so that rows of the batch end at different steps."""
    questions = [ask(CANONICAL, entry) for entry in list(ENTRIES.values())[:12]]
    questions += ["Thank you!", "A", PROMPT, PROMPT]
    together = answers.answer_all(model, tokenizer, iter(questions))
    assert together == [op.answer(text, model=model, tokenizer=tokenizer) for text in questions]
    lengths = {len(tokenizer.encode(text)) for text in together}
    assert min(lengths) < 30 < 60 < max(lengths)

    sampled = answers.answer_all(model, tokenizer, questions[-3:], op.Sampling(), seeds=range(3))
    assert sampled == [
        op.answer(text, op.Sampling(), seed=seed) for seed, text in enumerate(questions[-3:])
    ]
    assert sampled[1] != sampled[2]


@pytest.mark.parametrize(("question", "words"), [("", "empty"), ("word " * 300, "do not fit")])
def test_a_question_that_the_model_cannot_read_is_refused(model, tokenizer, question, words):
    with pytest.raises(ValueError, match=words):
        answers.answer_all(model, tokenizer, [PROMPT, question])
