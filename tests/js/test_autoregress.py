"""Text generated in JavaScript is Python's, by the model alone and with the draft."""

import pytest
import torch
from questions import QUESTIONS
from sampler_grid import GRID, sampling_of

import oneprompt as op
from oneprompt import PROMPT
from oneprompt.sample import uniforms

LONGEST = 80  # tokens of an answer
NEAR_TIE = 1e-3  # float32 sums in another order may swap logits that are this close
GREEDY = {"temperature": 0, "top_k": 0, "top_p": 1, "min_p": 0, "order": []}
ALONE = """({ prompts, most, settings, draws, eosId }) => prompts.map((prompt) => {
  const model = onePrompt.model("reference");
  const numbers = draws.values();
  const steps = [...onePrompt.generate({ ...model, eosId: eosId ?? model.eosId }, prompt, most,
    settings, () => numbers.next().value)].filter(Boolean);
  return { ids: steps.map(({ id }) => id), stop: steps.at(-1).stop };
})"""
SPECULATED = """({ prompts, most, settings, eosId }) => prompts.map((prompt) => {
  const [model, draft] = [onePrompt.model("reference"), onePrompt.model("draft")];
  const passes = [...onePrompt.speculate({ ...model, eosId: eosId ?? model.eosId }, draft, prompt,
    most, settings, () => 0.5, 5)].filter(Boolean);
  return {
    ids: passes.flatMap(({ kept }) => kept), stop: passes.at(-1).stop, passes: passes.length,
  };
})"""


def greedy(*prompts: list[int], most=LONGEST, **more) -> dict:
    """The argument of both scripts; whatever number is drawn, the likeliest token is taken."""
    return {"prompts": prompts, "most": most, "settings": GREEDY, "draws": [], **more}


@pytest.mark.parametrize(
    "questions",
    [QUESTIONS[:15], pytest.param(QUESTIONS[15:], marks=pytest.mark.slow)],
    ids=["first 15", "all others"],
)
def test_greedy_answers_equal_pythons_alone_and_speculated(questions, in_node, model, tokenizer):
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
