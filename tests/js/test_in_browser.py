"""The model in the page against Python, in Chromium, from the script that the built book serves."""

import random

import pytest
import torch

import oneprompt as op
from oneprompt.corpus.documents import CANONICAL, ask
from oneprompt.js.page_model import page_weights
from oneprompt.sample import Sampling, probabilities, uniforms

PROMPT = "What is machine learning?"
LONGEST = 80  # tokens of an answer
NEAR_TIE = 1e-3  # float32 sums in another order may swap logits that are this close
SETTINGS = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "order")
# White space as Unicode and as JavaScript see it, signs of one to four bytes, marks, emoji.
ALPHABET = (
    "abcXYZ0129 \t\n\r\v\f\x1c\x85\xa0\u1680\u2003\u2028\u202f\u3000\ufeff\u200b\u200d.,;!?'\"-_()"
    "éßøñ\u0301शि中文한שלוםمرحبا😀🏳️‍🌈👩‍🚀\x00\x07\ufffd\U0010ffff½²Ⅷ"
)
WORDS = ("don't", "we'll", "'S", "  ", "<|endoftext|>", "learning", " machine", "\r\n", "1234567")


@pytest.fixture(scope="module")
def tokenizer():
    return op.load_tokenizer()


@pytest.fixture(scope="module")
def model():
    return op.load_model("reference")


@pytest.fixture
def in_page(page, site):
    """Evaluates JavaScript on a page of the book that has loaded the model, as `onePrompt`."""
    page.set_default_timeout(60_000)
    page.goto(f"{site}book/index.html")
    page.add_script_tag(url=f"{site}_static/page_model.js")
    return page.evaluate


def seeded_texts(n: int) -> list[str]:
    rng = random.Random(0)
    texts = []
    for _ in range(n):
        parts = rng.choices(ALPHABET, k=rng.randint(0, 24)) + rng.choices(
            WORDS, k=rng.randint(0, 3)
        )
        rng.shuffle(parts)
        texts.append("".join(parts))
    return texts


def questions(n: int) -> list[str]:
    return [ask(CANONICAL, entry) for entry in op.load_glossary()][:n]


def sampling_of(settings: dict) -> Sampling:
    off = {"top_k": 0, "top_p": 1, "min_p": 0}
    return Sampling(**{k: None if off.get(k, object()) == v else v for k, v in settings.items()})


def test_ids_equal_those_of_tokenizers(in_page, tokenizer):
    texts = ["", PROMPT, *seeded_texts(2000)]
    found = in_page(
        """(texts) => texts.map((text) => {
          const ids = onePrompt.tokenizer.encode(text);
          return [ids, onePrompt.tokenizer.decode(ids)];
        })""",
        texts,
    )
    for text, (ids, back) in zip(texts, found, strict=True):
        assert ids == tokenizer.encode(text), repr(text)
        assert back == text


def test_logits_and_attention_equal_python(in_page, model, tokenizer):
    prompts = [tokenizer.encode(text) for text in (*questions(49), " ".join(questions(24)))]
    assert len(prompts[-1]) > 100
    found = in_page(
        """(prompts) => prompts.map((ids) => {
          const model = onePrompt.model("reference");
          const { final_norm, layers } = onePrompt.forward(model, ids);
          return [Array.from(onePrompt.toLogits(model, final_norm, ids.length)).slice(-3 * 2048),
            Array.from(layers.at(-1).weights), Array.from(layers[0].hidden).slice(0, 768)];
        })""",
        prompts,
    )
    for ids, (logits, weights, hidden) in zip(prompts, found, strict=True):
        trace = model.trace(torch.tensor([ids]))
        torch.testing.assert_close(
            torch.tensor(logits), trace.logits[0, -3:].flatten(), rtol=0, atol=1e-3
        )
        expected = trace.layers[-1].weights.flatten()
        torch.testing.assert_close(torch.tensor(weights), expected, rtol=0, atol=1e-4)
        expected = trace.layers[0].hidden[0, 0]
        torch.testing.assert_close(torch.tensor(hidden), expected, rtol=0, atol=1e-4)


def test_linear_equals_torchs_and_gives_each_row_alone_the_same_bits(in_page):
    generator = torch.Generator().manual_seed(0)
    for T, I, O in ((1, 3, 1), (2, 8, 6), (3, 5, 7), (4, 4, 9), (9, 6, 11)):
        x, W, b = (torch.randn(shape, generator=generator) for shape in ((T, I), (O, I), (O,)))
        together, alone, without_bias = in_page(
            """([x, W, b, I]) => {
              [x, W, b] = [x, W, b].map((values) => Float32Array.from(values));
              const rows = [];
              for (let t = 0; t < x.length; t += I) {
                rows.push(...onePrompt.linear(x.subarray(t, t + I), W, b, I));
              }
              return [Array.from(onePrompt.linear(x, W, b, I)), rows,
                Array.from(onePrompt.linear(x, W, null, I))];
            }""",
            [x.flatten().tolist(), W.flatten().tolist(), b.tolist(), I],
        )
        assert together == alone
        for found, bias in ((together, b), (without_bias, None)):
            expected = torch.nn.functional.linear(x, W, bias).flatten()
            # float32 sums against sums of float64, of at most 8 products near 1
            torch.testing.assert_close(torch.tensor(found), expected, rtol=0, atol=1e-5)


GREEDY = {"temperature": 0, "top_k": 0, "top_p": 1, "min_p": 0, "order": []}
GREEDY_TEXTS = """([prompts, most, greedy]) => prompts.map((ids) => {
  const steps = [...onePrompt.generate(onePrompt.model("reference"), ids, most, greedy,
    () => 0.5)].filter(Boolean);
  return { ids: steps.map(({ id }) => id), stop: steps.at(-1).stop };
})"""
SPECULATED_TEXTS = """([prompts, most, greedy]) => prompts.map((ids) => {
  const [target, draft] = [onePrompt.model("reference"), onePrompt.model("draft")];
  const blocks = [...onePrompt.speculate(target, draft, ids, most, greedy, () => 0.5, 5)]
    .filter(Boolean);
  return {
    ids: blocks.flatMap(({ kept }) => kept), stop: blocks.at(-1).stop, passes: blocks.length,
  };
})"""


def in_slices(in_page, script: str, prompts: list[list[int]]) -> list[dict]:
    """A call for every 20 prompts: the page answers in between."""
    starts = range(0, len(prompts), 20)
    slices = ([prompts[i : i + 20], LONGEST, GREEDY] for i in starts)
    return [text for each in slices for text in in_page(script, each)]


def test_greedy_answers_equal_python_alone_and_speculated(in_page, model, tokenizer):
    """Each token of an answer is Python's most likely one after the same text, or ties with it.

    Of speculation, which takes longer here, every third answer.
    """
    prompts = [tokenizer.encode(text) for text in questions(1000)]
    found = in_slices(in_page, GREEDY_TEXTS, prompts)
    ties = 0
    for prompt, result in zip(prompts, found, strict=True):
        ids = torch.tensor(result["ids"])
        with torch.no_grad():
            logits = model(torch.tensor([prompt + result["ids"]]))[0, len(prompt) - 1 : -1]
        behind = logits.amax(-1) - logits.gather(-1, ids[:, None])[:, 0]
        assert behind.max() < NEAR_TIE, tokenizer.decode(prompt)
        ties += int((behind > 0).sum())
        ended = result["ids"][-1] == model.eos_id
        assert model.eos_id not in result["ids"][:-1]
        assert ended or len(ids) == LONGEST
        assert result["stop"] == ("stop" if ended else "length")
    print("tokens other than Python's, at a near-tie:", ties)

    speculated = in_slices(in_page, SPECULATED_TEXTS, prompts[::3])
    for alone, result in zip(found[::3], speculated, strict=True):
        passes = result.pop("passes")
        assert result == alone
        assert passes < len(alone["ids"]) or len(alone["ids"]) < 3


def test_generation_stops_at_the_length_and_at_the_context(in_page, model, tokenizer):
    full = (tokenizer.encode(" ".join(questions(60))))[: model.config.context_length - 3]
    found = in_page(
        """([prompts, greedy]) => prompts.map(([ids, most]) => {
          const model = onePrompt.model("reference");
          const draft = onePrompt.model("draft");
          model.eosId = -1; // never
          const passes = [...onePrompt.generate(model, ids, most, greedy, () => 0.5)];
          const steps = passes.filter(Boolean);
          const blocks = [...onePrompt.speculate(model, draft, ids, most, greedy, () => 0.5, 5)];
          return [steps.map(({ id }) => id), steps.at(-1).stop,
            blocks.filter(Boolean).flatMap(({ kept }) => kept), blocks.at(-1).stop];
        })""",
        [[[tokenizer.encode(PROMPT), 7], [full, 50]], GREEDY],
    )
    for (ids, most), result in zip(((tokenizer.encode(PROMPT), 7), (full, 50)), found, strict=True):
        expected = op.generate(model, ids, most, stop_ids=())
        assert result == [expected.ids, expected.stop_reason] * 2
    assert found[1][1] == "context"


ORDERS = (
    Sampling().order,
    ("top_p", "repetition_penalty", "min_p", "temperature", "top_k"),
)
GRID = [
    dict(zip(SETTINGS, (t, k, p, m, r, order), strict=True))
    for order in ORDERS
    for t, k, p, m, r in ((0.0, 0, 1, 0, 1.0), (1.0, 0, 1, 0, 1.0), (0.7, 20, 0.9, 0.02, 1.3),
                          (1.5, 0, 0.6, 0, 1.1), (2.0, 5, 1, 0.3, 0.8), (1.0, 1, 0.5, 0, 2.0))
]  # fmt: skip


def test_probabilities_equal_python(in_page, model, tokenizer):
    ids = tokenizer.encode(PROMPT)
    logits = model(torch.tensor([ids]))[0, -1]
    found = in_page(
        """([logits, grid, ids]) =>
          grid.map((settings) => onePrompt.distribution(logits, settings, ids).probabilities)""",
        [logits.tolist(), GRID, ids],
    )
    for settings, in_js in zip(GRID, found, strict=True):
        expected = probabilities(logits, sampling_of(settings), ids)
        torch.testing.assert_close(
            torch.tensor(in_js, dtype=torch.float64), expected, rtol=0, atol=1e-6
        )


def test_the_same_uniform_numbers_give_the_same_text(in_page, model, tokenizer):
    ids, n = tokenizer.encode(PROMPT), 40
    for seed, settings in enumerate(GRID):
        random_numbers = uniforms(seed)
        us = [next(random_numbers) for _ in range(n)]
        expected = op.generate(model, ids, n, sampling_of(settings), seed=seed)
        found = in_page(
            """([ids, n, settings, us]) => {
              let draws = 0;
              const uniform = () => us[draws++];
              const model = onePrompt.model("reference");
              return [...onePrompt.generate(model, ids, n, settings, uniform)]
                .filter(Boolean).map(({ id }) => id);
            }""",
            [ids, n, settings, us],
        )
        assert found == expected.ids, settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "prompt is empty"),
        ("a \ud800 b", "lone surrogate"),
        ("word " * 2000, "at most 256 fit here"),
    ],
)
def test_a_prompt_that_cannot_be_read_is_refused_in_words(in_page, text, words):
    message = in_page(
        """(units) => {
          const text = String.fromCharCode(...units);
          try {
            onePrompt.promptIds(onePrompt.tokenizer, text, 256);
          } catch (error) {
            return error.message;
          }
          return "";
        }""",
        [int.from_bytes(pair, "little") for pair in _utf16_units(text)],
    )
    assert words in message


def _utf16_units(text: str):
    data = text.encode("utf-16-le", "surrogatepass")
    return (data[i : i + 2] for i in range(0, len(data), 2))


def test_another_architecture_is_refused():
    config = op.ModelConfig(vocab_size=40, d_model=16, n_layers=1, n_heads=2, norm="rmsnorm")
    with pytest.raises(ValueError, match="rmsnorm"):
        page_weights(op.Transformer(config))
