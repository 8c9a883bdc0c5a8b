"""Text generated in JavaScript equals Python's, by the model alone and with the draft."""

from itertools import islice

import pytest
import torch
from questions import QUESTIONS
from sampler_grid import GRID, sampling_of

import oneprompt as op
from oneprompt import PROMPT, autoregress
from oneprompt.sample import uniforms

LONGEST = 80  # tokens of an answer
NEAR_TIE = 1e-3  # float32 sums in another order may swap logits that are this close
GREEDY = {"temperature": 0, "top_k": 0, "top_p": 1, "min_p": 0, "order": []}
ALONE = """({ prompts, most, settings, draws, eosId }) => prompts.map((prompt) => {
  const model = onePrompt.model("reference");
  const numbers = draws.values();
  const steps = [...onePrompt.generate({ ...model, eosId: eosId ?? model.eosId }, prompt, most,
    settings, () => numbers.next().value)].filter(Boolean);
  return { ids: steps.map((step) => step.token_id), stop: steps.at(-1).stop };
})"""
SPECULATED = """({ prompts, most, settings, eosId }) => prompts.map((prompt) => {
  const [model, draft] = [onePrompt.model("reference"), onePrompt.model("draft")];
  const passes = [...onePrompt.speculate({ ...model, eosId: eosId ?? model.eosId }, draft, prompt,
    most, settings, () => 0.5, 5)].filter(Boolean);
  return {
    ids: passes.flatMap((pass) => pass.new), stop: passes.at(-1).stop, passes: passes.length,
  };
})"""


def greedy(*prompts: list[int], most=LONGEST, **more) -> dict:
    """The argument of both scripts: whatever number is drawn, the likeliest token is taken."""
    return {"prompts": prompts, "most": most, "settings": GREEDY, "draws": [], **more}


@pytest.mark.parametrize(
    "questions",
    [QUESTIONS[:15], pytest.param(QUESTIONS[15:], marks=pytest.mark.slow)],
    ids=["first 15", "all others"],
)
def test_greedy_answers_equal_pythons_with_and_without_speculation(
    questions, in_node, model, tokenizer
):
    """Each token of an answer is Python's most likely one after the same text, or ties with it.

    Every third answer is speculated as well, which takes longer here.
    """
    prompts = [tokenizer.encode(text) for text in questions]
    found = in_node(ALONE, greedy(*prompts))
    for prompt, result in zip(prompts, found, strict=True):
        ids = torch.tensor(result["ids"])
        with torch.no_grad():
            logits = model(torch.tensor([prompt + result["ids"]]))[0, len(prompt) - 1 : -1]
        behind = logits.amax(-1) - logits.gather(-1, ids[:, None])[:, 0]
        assert behind.max() < NEAR_TIE, tokenizer.decode(prompt)
        ended = result["ids"][-1] == model.eos_id
        assert model.eos_id not in result["ids"][:-1]
        assert ended or len(ids) == LONGEST
        assert result["stop"] == ("stop" if ended else "length")

    speculated = in_node(SPECULATED, greedy(*prompts[::3]))
    for alone, result in zip(found[::3], speculated, strict=True):
        passes = result.pop("passes")
        assert result == alone
        assert passes < len(alone["ids"]) or len(alone["ids"]) < 3


@pytest.mark.parametrize(
    ("text", "n_tokens", "most", "reason"),
    [(PROMPT, None, 7, "length"), (" ".join(QUESTIONS[:60]), -3, 50, "context")],
    ids=["length", "context"],
)
def test_generation_stops_at_the_length_and_at_the_end_of_the_context(
    text, n_tokens, most, reason, in_node, model, tokenizer
):
    """`n_tokens` of the text: all of it, or 3 fewer than the context holds."""
    ids = tokenizer.encode(text)
    if n_tokens:
        ids = ids[: model.config.context_length + n_tokens]
        assert len(ids) == model.config.context_length + n_tokens
    expected = op.generate(model, ids, most, stop_ids=())
    assert expected.stop_reason == reason
    for script in (ALONE, SPECULATED):
        (found,) = in_node(script, greedy(ids, most=most, eosId=-1))  # no token ends the text
        assert (found["ids"], found["stop"]) == (expected.ids, reason)


def test_the_same_uniform_numbers_give_the_same_text(in_node, model, tokenizer):
    prompt, n = tokenizer.encode(PROMPT), 40
    for seed, settings in enumerate(GRID):
        random_numbers = uniforms(seed)
        draws = [next(random_numbers) for _ in range(n)]
        expected = op.generate(model, prompt, n, sampling_of(settings), seed=seed)
        (found,) = in_node(
            ALONE, {"prompts": [prompt], "most": n, "settings": settings, "draws": draws}
        )
        assert found["ids"] == expected.ids, settings


# The steps of a small model whose text fills the context.

STEPS = """({ ids, most, settings, draws }) => {
  const model = { ...small.model("reference"), eosId: -1 };
  const numbers = draws.values();
  return [...small.generate(model, ids, most, settings, () => numbers.next().value)];
}"""


@pytest.mark.parametrize("settings", GRID[:4], ids=["greedy", "1", "0.7", "1.5"])
def test_the_steps_equal_pythons(settings, node, small_pair):
    """Field by field, under the same names."""
    ids, seed = [5, 6, 7], 3
    draws = list(islice(uniforms(seed), 60))
    found = node.run(STEPS, argument={"ids": ids, "most": 60, "settings": settings, "draws": draws})
    made = autoregress.steps(small_pair[0], ids, 60, sampling_of(settings), seed=seed, stop_ids=())
    expected = list(made)
    assert len(found) == len(expected) == 38
    for step, other in zip(found, expected, strict=True):
        assert step.keys() == set(other._fields)
        assert (step["token_id"], step["stop"]) == (other.token_id, other.stop)
        torch.testing.assert_close(torch.tensor(step["logits"]), other.logits, rtol=0, atol=1e-3)
    assert expected[-1].stop == "context"


def test_the_page_may_draw_between_slices_of_a_long_prompt(node, small_pair):
    argument = {"ids": [1] * 37, "most": 3, "settings": GREEDY, "draws": []}
    found = node.run(STEPS, argument=argument)
    assert [step is None for step in found] == [True, True, False, False, False]  # 16, 16, 5


@pytest.mark.parametrize("most", [0, 1])
def test_no_more_ids_come_than_are_wanted(most, node, small_pair):
    argument = {"ids": [5, 6, 7], "most": most, "settings": GREEDY, "draws": []}
    assert len(node.run(STEPS, argument=argument)) == most
