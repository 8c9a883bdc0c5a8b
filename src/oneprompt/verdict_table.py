"""How a model answers the natural prompts: its verdicts by kind of prompt, and what failed.

python -m oneprompt.verdict_table            the reference model's
python -m oneprompt.verdict_table --model draft
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .batch import generate_batch
from .checkpoints.own import ASSETS, load_model
from .corpus.natural_prompts import OFF, ON, NaturalPrompt, natural_prompts
from .model import Transformer
from .request import check_prompt
from .sample import GREEDY
from .tokenize import Tokenizer, load_tokenizer
from .verdicts import GOOD, VERDICTS, judge

LONGEST = 120  # tokens; two definitions take up to 70


class Judged(NamedTuple):
    """A prompt, a model's answer and its verdict."""

    prompt: NaturalPrompt
    answer: str
    verdict: str

    @property
    def good(self) -> bool:
        return self.verdict in GOOD[self.prompt.subject]


def judge_all(
    model: Transformer,
    tokenizer: Tokenizer,
    prompts: Iterable[NaturalPrompt] | None = None,
    *,
    longest: int = LONGEST,
) -> list[Judged]:
    """The model's greedy answer to each prompt (None: the 200 natural ones) and its verdict."""
    prompts = list(natural_prompts() if prompts is None else prompts)
    ids = [check_prompt(model, tokenizer.encode(prompt.text)) for prompt in prompts]
    results = generate_batch(model, ids, longest, GREEDY, progress="answers")
    judged = []
    for prompt, result in zip(prompts, results, strict=True):
        text = tokenizer.decode(result.ids).strip()
        judged.append(Judged(prompt, text, judge(prompt, text, result.stop_reason == "stop")))
    return judged


def table(judged: Iterable[Judged]) -> str:
    """The number of prompts of each kind, how many answers are good, and the verdicts."""
    judged, lines = list(judged), []
    for group in (ON, OFF):
        here = [item for item in judged if item.prompt.subject == group]
        if here:
            kinds = dict.fromkeys(item.prompt.kind for item in here)
            lines.append(_row(group, here))
            lines += [_row(f"  {k}", [i for i in here if i.prompt.kind == k]) for k in kinds]
    return "\n".join(lines)


def _row(name: str, judged: list[Judged]) -> str:
    counts = Counter(item.verdict for item in judged)
    verdicts = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v])
    good = sum(item.good for item in judged)
    return f"{name:<26} {good:>3} of {len(judged):>3}   {verdicts}"


def failures(judged: Iterable[Judged]) -> str:
    """Every answer that is not good, word for word."""
    return "\n".join(
        f"[{item.verdict}] {item.prompt.text}\n    {item.answer or '(nothing)'}"
        for item in judged
        if not item.good
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Judge a model's answers to the natural prompts.")
    parser.add_argument("--folder", type=Path, default=ASSETS, help="with the model's files")
    parser.add_argument("--model", default="reference", choices=("reference", "draft"))
    args = parser.parse_args()
    model = load_model(args.folder / f"{args.model}.safetensors")
    judged = judge_all(model, load_tokenizer(args.folder / "tokenizer.json"))
    print(table(judged), failures(judged), sep="\n\n")


if __name__ == "__main__":
    main()
