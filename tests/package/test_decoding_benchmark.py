"""The benchmark of decoding measures what it says, on models that take milliseconds."""

import json

import pytest
import torch
from decoding import __main__ as benchmark
from decoding import measures, report, sides, speculation
from decoding.measures import BASE, Size
from decoding.sides import as_llama, load_theirs, run_ours, run_theirs
from decoding.timing import Call, alternate, compare, spread, timed_ids
from models import noisy_copy, small_model
from transformers import GPT2Config, GPT2LMHeadModel

import oneprompt as op
from oneprompt.draft import ModelDraft

TINY = Size(
    rounds=2, prompt=5, n_new=6, prefill=9, lengths=(4, 8), batches=(1, 3), gammas=(1, 3),
    questions=1,
)  # fmt: skip
LLAMA = {"norm": "rmsnorm", "position": "rope", "activation": "swiglu", "bias": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny GPT-2 with random weights large enough for texts that vary."""
    torch.manual_seed(0)
    config = GPT2Config(
        n_embd=32, n_layer=2, n_head=2, n_positions=64, vocab_size=50, initializer_range=0.3,
        eos_token_id=None, bos_token_id=None,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tiny")
    GPT2LMHeadModel(config).eval().save_pretrained(path)
    return path


# Times.


def test_ways_take_turns_in_both_orders():
    order = []
    ways = {name: lambda name=name: order.append(name) or Call([1.0]) for name in "ab"}
    found = alternate(ways, 3, "")
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"  # the first calls are not counted
    assert {name: len(calls) for name, calls in found.items()} == {"a": 3, "b": 3}


def test_a_speedup_is_taken_within_a_round():
    """The second round runs on a machine ten times as slow, and changes no ratio."""
    found = {"a": [Call([9, 1]), Call([9, 10])], "b": [Call([9, 0.5]), Call([9, 5])]}
    rows = compare(found, "a")
    assert rows["a"]["speedup"] == {"median": 1, "low": 1, "high": 1}
    assert rows["b"]["speedup"] == {"median": 2, "low": 2, "high": 2}
    assert rows["b"]["ms"]["median"] == 2750


def test_a_step_is_the_median_after_the_prompts():
    assert Call([9, 1, 3, 2]).step == 2
    assert Call([9]).step == 9


def test_the_spread_is_the_quartiles():
    assert spread([4, 1, 3, 2, 5]) == {"median": 3, "low": 2, "high": 4}
    assert spread([7]) == {"median": 7, "low": 7, "high": 7}


def test_a_call_has_the_seconds_of_every_id():
    call = timed_ids(lambda: iter([4, 2]))
    assert call.ids == [4, 2]
    assert len(call.seconds) == 2
    assert all(seconds >= 0 for seconds in call.seconds)


# Sides.


@torch.no_grad()
@pytest.mark.parametrize("n_kv_heads", [1, 2])
def test_the_twin_in_transformers_has_the_same_logits(n_kv_heads):
    model = small_model(n_kv_heads=n_kv_heads, **LLAMA)
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    torch.testing.assert_close(as_llama(model)(ids).logits, model(ids), atol=1e-4, rtol=1e-4)


def test_a_model_of_another_family_has_no_twin():
    with pytest.raises((ValueError, RuntimeError)):
        as_llama(small_model(position="learned"))


def test_both_sides_give_the_same_ids(folder):
    ours = op.load_pretrained(folder, ignore=["transformers_version", "dtype"])[0]
    ids = measures.random_prompt(50, 5)
    expected = run_theirs(load_theirs(folder), ids, 9)
    found = run_ours(ours, ids, 9)
    assert found.ids == expected.ids
    assert len(set(found.ids)) > 2
    assert len(found.seconds) == len(expected.seconds) == 9


@pytest.mark.parametrize("name", [sides.GPT2, sides.REFERENCE, "tiny"])
def test_every_prompt_has_the_length_that_is_wanted(name):
    assert len(sides.prompt_of(name, 2048, measures.FULL.prompt)) == measures.FULL.prompt


# Measures.


def test_decoding_compares_kinds_of_weights(folder):
    found = measures.decode("tiny", folder, TINY)
    rows = found["rows"]
    ours = [f"oneprompt {kind}" for kind in ("fp32", "bf16", "int8")]
    assert list(rows) == [BASE, "transformers bf16", *ours]
    assert rows[BASE]["speedup"]["median"] == 1
    assert rows["oneprompt fp32"]["same_ids"] == TINY.n_new
    assert rows["oneprompt fp32"]["logit_difference"] == 0
    assert 0 < rows["oneprompt int8"]["logit_difference"] < 0.5
    assert 0 < rows["oneprompt bf16"]["logit_difference"] < 0.5
    for name, share in (("transformers fp32", 1), ("transformers bf16", 0.5), (ours[2], 0.25)):
        row = rows[name]
        assert row["share_of_bound"] == share * found["bound_ms"] / row["ms"]["median"]


def test_every_reading_takes_in_as_many_numbers_as_the_model_has():
    model = small_model(d_model=64, vocab_size=500)
    n = model.n_parameters // 1024 * 1024
    found = [run() for run in measures.readings(model).values()]
    assert [float(result.sum()) for result in found] == [n] * 3  # all are ones


def test_the_first_difference_is_counted():
    assert measures.first_difference([1, 2, 3], [1, 2, 3]) == 3
    assert measures.first_difference([1, 9, 3], [1, 2, 3]) == 1


def test_a_prompt_is_cut_to_the_context(folder):
    assert measures.prefill("tiny", folder, TINY)["tokens"] == 9
    assert measures.prefill("tiny", folder, TINY._replace(prefill=512))["tokens"] == 63


def test_growth_is_measured_with_and_without_a_cache():
    found = measures.by_length(small_model(), TINY)
    assert found["lengths"] == (4, 8)
    for kind in ("with a cache", "without a cache"):
        assert len(found[kind]["ms"]) == 2
        assert isinstance(found[kind]["exponent"], float)


def test_rates_are_measured_for_every_batch():
    rates = measures.batches(small_model(), TINY)
    assert list(rates) == [1, 3]
    assert all(rate > 0 for rate in rates.values())


@pytest.mark.slow
def test_peak_memory_is_that_of_one_side(folder):
    ballast = torch.ones(100_000_000)  # in this process, and in no other
    peaks = measures.memory("tiny", folder)
    assert 50 < peaks["imports"] <= min(peaks["transformers"], peaks["oneprompt"]) + 20
    assert max(peaks.values()) < peaks["imports"] + ballast.nbytes / 2**20


# Speculation.


@pytest.fixture(scope="module")
def race():
    target = small_model()
    drafts = {
        "noisy": ModelDraft(noisy_copy(target, 0.1)),
        "lookup": op.PromptLookup(target.config.vocab_size),
    }
    prompts = [[3, 1, 4], [5, 9, 2, 6]]
    return speculation.race(target, drafts, prompts, TINY, ())


def test_every_draft_is_raced_at_every_gamma(race):
    names = [f"{name}, gamma {gamma}" for name in ("noisy", "lookup") for gamma in (1, 3)]
    assert list(race) == ["plain", *names]
    assert race["plain"]["speedup"]["median"] == race["plain"]["tokens_per_pass"] == 1
    assert all(row["texts_are_equal"] for row in race.values())


def test_the_expected_speedup_is_tokens_over_costs(race):
    row = race["noisy, gamma 3"]
    assert 1 < row["tokens_per_pass"] <= 4
    assert 0 < row["acceptance"] <= 1
    assert row["expected_speedup"] == row["tokens_per_pass"] / (3 * row["c"] + row["v"])


def test_another_text_is_reported(race):
    expected = [[1, 2], [3]]
    texts = [op.Generation(ids=[1, 2], target_passes=1), op.Generation(ids=[4], target_passes=1)]
    found = speculation.explain("plain", texts, expected, {})
    assert found == {"texts_are_equal": False, "tokens_per_pass": 1.5}
    line = report.rows("", {"plain": race["plain"] | found}, 2)[-1]
    assert line.endswith("ANOTHER TEXT")


# The report.


@pytest.fixture(scope="module")
def results(folder, race):
    model = small_model()
    return {
        "machine": benchmark.machine(),
        "size": TINY._asdict(),
        "decode": {"tiny": measures.decode("tiny", folder, TINY)},
        "prefill": {"tiny": measures.prefill("tiny", folder, TINY)},
        "lengths": measures.by_length(model, TINY),
        "batches": measures.batches(model, TINY),
        "speculation": {"tiny": race},
        "memory": {"tiny": {"imports": 500.0, "transformers": 700.0, "oneprompt": 600.0}},
    }


def test_the_report_has_every_row(results):
    text = "\n".join(report.lines(results))
    for name in ("transformers bf16", "oneprompt int8", "noisy, gamma 3", "without a cache"):
        assert name in text
    assert f"{TINY.n_new} of {TINY.n_new} ids" in text
    assert "oneprompt 600" in text
    assert "ANOTHER TEXT" not in text


def test_the_machine_is_named(results):
    machine = results["machine"]
    assert machine["torch"] == torch.__version__
    assert machine["cores"] >= 1
    assert machine["cpu"] in machine["text"]


def test_results_and_picture_are_written(results, tmp_path):
    benchmark.write(results, tmp_path / "new")
    stored = json.loads((tmp_path / "new" / "decoding.json").read_text(encoding="utf-8"))
    assert stored["speculation"]["tiny"].keys() == results["speculation"]["tiny"].keys()
    assert stored["batches"].keys() == {"1", "3"}
    assert (tmp_path / "new" / "decoding.svg").read_text(encoding="utf-8").count("<g id=") > 20


def test_the_quick_run_leaves_the_committed_results_alone():
    assert benchmark.QUICK_RESULTS != benchmark.RESULTS
    for full, quick in zip(measures.FULL, measures.QUICK, strict=True):
        assert quick == full or (
            len(quick) < len(full) if isinstance(full, tuple) else quick < full
        )


def test_the_page_about_real_weights_says_what_was_measured():
    results = json.loads((benchmark.RESULTS / "decoding.json").read_text(encoding="utf-8"))
    page = json.loads((benchmark.ROOT / "book" / "real_weights.ipynb").read_text(encoding="utf-8"))
    (source,) = [cell["source"] for cell in page["cells"] if cell["id"] == "real-112s"]
    prose = " ".join("".join(source).split())
    decode, drafting = results["decode"], results["speculation"]["the shipped pair"]
    gpt2, real, own = (found["rows"] for found in decode.values())
    lookup = results["speculation"]["SmolLM2 on repetitive text"]

    def best(rows, kind):
        return max(row["speedup"]["median"] for name, row in rows.items() if kind in name)

    said = {
        "needs only {} times": 1 / gpt2["transformers fp32"]["share_of_bound"],
        "little to win: {} times": gpt2["oneprompt fp32"]["speedup"]["median"],
        "its speed there and on SmolLM2, {} times": own["oneprompt fp32"]["speedup"]["median"],
        "In 8 bits it is {} times": gpt2["oneprompt int8"]["speedup"]["median"],
        "decoding is {} times as fast with the draft model": best(drafting, "draft model"),
        "{} with a table": best(drafting, "4-gram"),
        "{} with prompt lookup": best(lookup, "prompt lookup"),
    }
    assert [text for text, x in said.items() if text.format(f"{x:.2f}") not in prose] == []
    assert real["oneprompt fp32"]["speedup"]["median"] == pytest.approx(1.07, abs=0.005)
