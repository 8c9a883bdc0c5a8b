"""Train the reference pair: tokenizer, target and draft, from the glossary alone.

    python -m oneprompt.training              two CPU cores, or a GPU where there is one
    torchrun --nproc-per-node 4 -m oneprompt.training      data parallel

Everything is seeded and the number of steps is fixed. A run that was interrupted goes on from its
last checkpoint when it is started again.
"""

import argparse
import dataclasses
import shutil
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from ..answers import PROMPT
from ..checkpoints.own import ASSETS, save_model
from ..checkpoints.quantize import rounded
from ..corpus.documents import text_hash, training_documents
from ..model import Transformer
from ..tokenize import Tokenizer
from .batches import bucketed, with_more
from .checkpoint import Checkpoint
from .history import HISTORY, History, words_for_map
from .loop import rank_and_world, train
from .recipe import COPYING, DRAFT, DRAFT_RECIPE, FINISH, PROMPT_SHARE, TARGET, TEXT, VOCAB_SIZE

UNFINISHED = Path("unfinished_training")


class Text(NamedTuple):
    """The training text: its tokenizer, all rows, those about the book's prompt, and the hash."""

    tokenizer: Tokenizer
    buckets: dict[int, Tensor]
    favored: dict[int, Tensor]
    digest: str


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the reference pair.")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder for the four files")
    parser.add_argument("--unfinished", type=Path, default=UNFINISHED, help="for checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="steps of every phase, for a trial run")
    args = parser.parse_args()
    torch.set_flush_denormal(True)  # numbers near zero would take many times as long
    text = prepare()
    target, history = train_target(text, args)
    draft = run_phase("draft", DRAFT, DRAFT_RECIPE, text.buckets, text, args, teacher=target)
    if rank_and_world()[0] == 0:
        args.out.mkdir(parents=True, exist_ok=True)
        text.tokenizer.save(args.out / "tokenizer.json")
        history.save(args.out / HISTORY.name)
        for name, model in (("reference", target), ("draft", rounded(draft))):
            model.eos_id = text.tokenizer.eos_id
            save_model(model, args.out / f"{name}.safetensors", training_text=text.digest)
        shutil.rmtree(args.unfinished)
    if dist.is_initialized():
        dist.destroy_process_group()


def prepare() -> Text:
    """Write the documents, learn the tokenizer from them, and put them into rows."""
    if rank_and_world()[0] == 0:
        print("Writing the documents and learning the tokenizer ...", flush=True)
    documents = training_documents()
    tokenizer = Tokenizer.train([d.text for d in documents], VOCAB_SIZE)
    favored = [d for d in documents if d.text.startswith(PROMPT)]
    buckets = (bucketed(group, tokenizer, TARGET.context_length) for group in (documents, favored))
    return Text(tokenizer, *buckets, text_hash(documents))


def train_target(text: Text, args: argparse.Namespace) -> tuple[Transformer, History]:
    """The three phases of the target, and what was kept of them."""
    texts = (ids for rows in text.buckets.values() for ids in rows[:, 0].tolist())
    history = History(text.tokenizer, words_for_map(texts, text.tokenizer))
    more = with_more(text.buckets, text.favored, PROMPT_SHARE)
    phases = {"copying": (COPYING, text.buckets), "text": (TEXT, text.buckets),
              "finish": (FINISH, more)}  # fmt: skip
    target = None
    for name, (recipe, buckets) in phases.items():
        history.begin(name)
        target = run_phase(name, TARGET, recipe, buckets, text, args, start=target, history=history)
    target = rounded(target)
    history.end(target)
    return target, history


def run_phase(name, config, recipe, buckets, text, args, **options) -> Transformer:
    """Train for one phase, from its checkpoint if there is one."""
    if args.steps is not None:
        recipe = dataclasses.replace(recipe, steps=args.steps)
    data = [(length, int(rows.sum())) for length, rows in buckets.items()]
    settings = repr((config, recipe, args.seed, rank_and_world()[1], text.digest, data))
    checkpoint = Checkpoint(args.unfinished / f"{name}.pt", settings)
    options |= {"seed": args.seed, "checkpoint": checkpoint, "name": name}
    return train(config, recipe, buckets, **options)


if __name__ == "__main__":
    main()
