"""What the book says about the shipped pair is true; `reference_model.ipynb` prints the figures."""

import gzip

import pytest
import torch

import oneprompt as op
from oneprompt import PROMPT, answers, heads, logits, speculate
from oneprompt.checkpoints.quantize import from_stored, to_stored
from oneprompt.corpus.documents import (
    CANONICAL,
    CONTRASTS,
    SEED,
    UNSEEN_FORMS,
    ask,
    contrast_pairs,
    held_out_questions,
    training_documents,
)
from oneprompt.corpus.natural_prompts import OFF, ON, natural_prompts
from oneprompt.corpus.replies import NO_ENTRY
from oneprompt.js.page_model import page_model
from oneprompt.training.batches import IGNORE, padded_row
from oneprompt.verdict_table import judge_all

TOKENS = ["What", " is", " machine", " learning", "?"]
NEVER_READ = (
    "a trampoline", "a tortoise", "lightning", "a helicopter", "a bagpipe", "a scarecrow",
    "a walrus", "a gondola", "a sextant", "a flamingo", "yodeling", "a papaya",
)  # fmt: skip
ENTRIES = {entry.term: entry for entry in op.load_glossary()}
FIRST = next(iter(ENTRIES.values()))


def share_defined(model, tokenizer, asked) -> float:
    return 1 - len(answers.wrong_answers(model, tokenizer, asked)) / len(asked)


def test_the_prompt_is_five_tokens(tokenizer):
    assert tokenizer.tokens(PROMPT) == TOKENS


def test_the_pair_is_small_enough_for_a_page():
    assert len(gzip.compress(page_model().encode())) <= 3_500_000


@pytest.mark.parametrize("name", ["reference", "draft"])
def test_weights_are_rounded_as_in_their_file(name):
    """Python computes with the weights in the file, as the page does, and not with finer ones."""
    weights = op.load_model(name).state_dict()
    again = from_stored(to_stored(weights))
    for parameter, weight in weights.items():
        assert torch.equal(weight, again[parameter]), parameter
        assert torch.equal(weight, weight.half().float()), parameter  # so exports may be fp16


def test_the_greedy_answer_to_the_prompt_is_the_definition(model, tokenizer):
    result = op.generate(model, tokenizer.encode(PROMPT), max_new_tokens=100)
    assert tokenizer.decode(result.ids) == f" {FIRST.definition}"
    assert result.stop_reason == "stop"


def test_the_model_defines_all_terms(model, tokenizer):
    asked = [(CANONICAL, entry) for entry in ENTRIES.values()]
    assert share_defined(model, tokenizer, asked) == 1


def test_the_model_answers_at_least_97_percent_of_held_out_questions(model, tokenizer):
    asked = [(form, ENTRIES[term]) for form, term in sorted(held_out_questions())]
    assert len(asked) == 2 * len(ENTRIES)
    assert share_defined(model, tokenizer, asked) >= 0.97


@pytest.mark.slow
def test_the_model_answers_at_least_97_percent_of_questions_in_unseen_forms(model, tokenizer):
    """Asked about every third term, as in `reference_model.ipynb`."""
    asked = [(form, entry) for form in UNSEEN_FORMS for entry in list(ENTRIES.values())[::3]]
    assert share_defined(model, tokenizer, asked) >= 0.97


@pytest.mark.slow
def test_the_model_answers_at_least_95_percent_of_held_out_contrasts(model, tokenizer):
    """Both definitions, in the order of the question and word for word."""
    _, held_out = contrast_pairs()
    pairs = [(ENTRIES[a], ENTRIES[b]) for a, b in held_out]
    right = {
        CONTRASTS[0].format(a=a.subject, b=b.subject): f"{a.definition} {b.definition}"
        for a, b in pairs + [(b, a) for a, b in pairs]
    }
    texts = answers.answer_all(model, tokenizer, right)
    n_right = sum(text == expected for text, expected in zip(texts, right.values(), strict=True))
    assert n_right >= 0.95 * len(right)


@pytest.mark.slow
def test_three_in_four_natural_prompts_are_answered_well(model, tokenizer):
    """Three in four on the subject, and four in five off it: 91 and 64 were measured."""
    judged = judge_all(model, tokenizer)
    for subject, n_prompts, n_good in ((ON, 120, 88), (OFF, 80, 61)):
        good = [item.good for item in judged if item.prompt.subject == subject]
        assert len(good) == n_prompts
        assert sum(good) >= n_good


def test_answers_vary_at_temperature_1(model, tokenizer):
    texts = answers.answer_all(model, tokenizer, [PROMPT] * 20, op.Sampling(), seeds=range(20))
    assert len(set(texts)) >= 16
    assert all(answers.defines(FIRST, text) for text in texts)


def test_several_first_tokens_are_plausible(model, tokenizer):
    logits = model(torch.tensor([tokenizer.encode(PROMPT)]))[0, -1]
    assert (op.probabilities(logits, op.Sampling()) > 0.03).sum() >= 7


@torch.no_grad()
def test_the_model_copies_random_tokens_with_an_induction_head(model, tokenizer):
    """The induction head stands in a later layer than a head that attends to the token before."""
    period = 40
    ids = heads.repeated_sequences(16, period, tokenizer.vocab_size)
    best = {name: score.max(1).values for name, score in heads.head_scores(model, ids).items()}
    layer = best["induction"].argmax()
    assert best["induction"][layer] >= 0.9
    assert best["previous"][:layer].max() >= 0.9
    predicted = model(ids)[:, period:-1].argmax(-1)
    assert (predicted == ids[:, period + 1 :]).float().mean() >= 0.95


@torch.no_grad()
def test_new_documents_cost_little_more_than_those_seen_in_training(model, tokenizer):
    """New documents of the same grammar cost little more than those read in training, and both
    are far below the 7.6 nats of guessing among 2,048 tokens."""
    seen = training_documents()
    known = set(seen)
    new = [d for d in training_documents(1500, SEED + 1) if d not in known]

    def loss(documents) -> float:
        """Over all that counts in the documents, each of which has a row of its own."""
        total = n_counted = 0
        for document in documents:
            ids, targets = padded_row(document, tokenizer, model.config.context_length)[:, None]
            counted = int((targets != IGNORE).sum())
            total += counted * logits.cross_entropy(model(ids), targets).item()
            n_counted += counted
        return total / n_counted

    loss_seen = loss(seen[:300])
    assert loss_seen < 0.2
    assert loss(new[:300]) < loss_seen + 0.05


@pytest.mark.parametrize(("sampling", "share"), [(op.GREEDY, 0.92), (op.Sampling(), 0.8)])
def test_four_in_five_drafted_tokens_are_accepted(model, draft, tokenizer, sampling, share):
    """In the answers to "What is X?" for every sixth term, as in chapter 9."""
    prompts = [tokenizer.encode(ask(CANONICAL, entry)) for entry in list(ENTRIES.values())[::6]]
    accepted = speculate.acceptance(model, draft, prompts, sampling, max_new_tokens=80)
    assert accepted >= share


@pytest.mark.slow
@pytest.mark.parametrize("sampling", [op.GREEDY, op.Sampling()])
def test_as_many_drafted_tokens_are_accepted_on_natural_prompts(model, draft, tokenizer, sampling):
    """In the answers to every fourth of the natural prompts."""
    prompts = [tokenizer.encode(prompt.text) for prompt in natural_prompts()[::4]]
    accepted = speculate.acceptance(model, draft, prompts, sampling, max_new_tokens=80)
    assert accepted >= 0.85


@pytest.mark.slow
def test_a_refusal_names_things_that_the_training_text_does_not_have(model, tokenizer):
    """Most of them, as they were typed: the names can only be copied from the question."""
    text = " ".join(document.text for document in training_documents()).lower()
    assert "a telescope" in text
    assert not [thing for thing in NEVER_READ if thing.removeprefix("a ") in text]
    answered = answers.answer_all(model, tokenizer, [f"What is {t}?" for t in NEVER_READ])
    expected = [NO_ENTRY.format(thing) for thing in NEVER_READ]
    n_named = sum(text == right for text, right in zip(answered, expected, strict=True))
    assert n_named >= 0.8 * len(NEVER_READ)


def test_speculation_gives_the_same_answers(model, draft, tokenizer):
    decoder = op.SpeculativeDecoder(model, draft)
    for entry in list(ENTRIES.values())[:20]:
        ids = tokenizer.encode(ask(CANONICAL, entry))
        alone, together = op.generate(model, ids, 80), decoder.generate(ids, 80)
        assert together.ids == alone.ids
        assert together.target_passes < alone.target_passes
