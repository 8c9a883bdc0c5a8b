"""What the book says about the shipped pair is true; `reference_model.ipynb` prints the figures."""

import gzip

import pytest
import torch

import oneprompt as op
from oneprompt import PROMPT, answers, logits, speculate
from oneprompt.checkpoints.own import ASSETS
from oneprompt.corpus.documents import (
    CANONICAL,
    SEED,
    ask,
    held_out_questions,
    training_documents,
)

TOKENS = ["What", " is", " machine", " learning", "?"]
ENTRIES = {entry.term: entry for entry in op.load_glossary()}
FIRST = next(iter(ENTRIES.values()))


def share_defined(model, tokenizer, asked) -> float:
    return 1 - len(answers.wrong_answers(model, tokenizer, asked)) / len(asked)


def test_the_prompt_is_five_tokens(tokenizer):
    assert tokenizer.tokens(PROMPT) == TOKENS


def test_the_pair_is_small_enough_for_a_page():
    files = [ASSETS / f for f in ("reference.safetensors", "draft.safetensors", "tokenizer.json")]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 5_000_000


@pytest.mark.parametrize("name", ["reference", "draft"])
def test_weights_are_rounded_to_fp16(name):
    """Python computes with the weights in the file, as the page does, and not with finer ones."""
    for parameter in op.load_model(name).parameters():
        assert torch.equal(parameter, parameter.half().float())


def test_the_greedy_answer_to_the_prompt_is_the_books(model, tokenizer):
    result = op.generate(model, tokenizer.encode(PROMPT), max_new_tokens=100)
    text = tokenizer.decode(result.ids)
    assert text.startswith(f" {FIRST.definition}")
    assert result.stop_reason == "stop"
    further = text.removeprefix(f" {FIRST.definition}").strip()
    assert further in ("", FIRST.how, FIRST.why, FIRST.example)


def test_the_model_defines_at_least_95_percent_of_the_terms(model, tokenizer):
    asked = [(CANONICAL, entry) for entry in ENTRIES.values()]
    assert share_defined(model, tokenizer, asked) >= 0.95


def test_the_model_answers_at_least_85_percent_of_held_out_questions(model, tokenizer):
    """Asked every third of them; `reference_model.ipynb` asks all."""
    asked = [(form, ENTRIES[term]) for form, term in sorted(held_out_questions())]
    assert len(asked) == 2 * len(ENTRIES)
    assert share_defined(model, tokenizer, asked[::3]) >= 0.85


def test_answers_vary_at_temperature_1(model, tokenizer):
    texts = answers.answer_all(model, tokenizer, [PROMPT] * 20, op.Sampling(), seeds=range(20))
    assert len(set(texts)) >= 8
    assert sum(answers.defines(FIRST, text) for text in texts) >= 16


def test_several_first_tokens_are_plausible(model, tokenizer):
    logits = model(torch.tensor([tokenizer.encode(PROMPT)]))[0, -1]
    assert (op.probabilities(logits, op.Sampling()) > 0.03).sum() >= 4


def test_new_documents_cost_little_more_than_those_seen_in_training(model, tokenizer):
    """New documents of the same grammar cost little more than those read in training, and both
    are far below the 7.6 nats of guessing among 2,048 tokens."""
    seen, drawn = ([d.text for d in training_documents(*args)] for args in ((), (300, SEED + 1)))
    new = [text for text in drawn if text not in set(seen)][:100]
    loss_seen = logits.document_loss(model, map(tokenizer.encode, seen[:100]))
    loss_new = logits.document_loss(model, map(tokenizer.encode, new))
    assert loss_seen < 2
    assert loss_new < loss_seen + 0.5


@pytest.mark.parametrize("sampling", [op.GREEDY, op.Sampling()], ids=["greedy", "temperature 1"])
def test_the_draft_is_accepted_more_often_than_not(model, draft, tokenizer, sampling):
    prompts = [tokenizer.encode(ask(CANONICAL, entry)) for entry in ENTRIES.values()][:20]
    assert speculate.acceptance(model, draft, prompts, sampling, max_new_tokens=80) > 0.5


def test_speculation_gives_the_same_answers(model, draft, tokenizer):
    decoder = op.SpeculativeDecoder(model, draft)
    for entry in list(ENTRIES.values())[:20]:
        ids = tokenizer.encode(ask(CANONICAL, entry))
        alone, together = op.generate(model, ids, 80), decoder.generate(ids, 80)
        assert together.ids == alone.ids
        assert together.target_passes < alone.target_passes
