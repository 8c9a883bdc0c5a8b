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

import torch
import torch.distributed as dist

from ..answers import PROMPT
from ..checkpoints.own import ASSETS, save_model
from ..checkpoints.quantize import rounded
from ..corpus.documents import text_hash, training_documents
from ..tokenize import Tokenizer
from .batches import pack_counted, with_more
from .checkpoint import Checkpoint
from .history import HISTORY, History, words_for_map
from .loop import rank_and_world, train
from .recipe import COPYING, DRAFT, DRAFT_RECIPE, FINISH, PROMPT_SHARE, TARGET, TEXT, VOCAB_SIZE

UNFINISHED = Path("unfinished_training")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the reference pair.")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder for the four files")
    parser.add_argument("--unfinished", type=Path, default=UNFINISHED, help="for checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="steps of every phase, for a trial run")
    args = parser.parse_args()
    rank = rank_and_world()[0]
    torch.set_flush_denormal(True)  # numbers near zero would take many times as long
    _say("Writing the documents and learning the tokenizer")
    documents = training_documents()
    tokenizer = Tokenizer.train([d.text for d in documents], VOCAB_SIZE)
    rows, favored = (
        pack_counted(group, tokenizer, TARGET.context_length)
        for group in (documents, [d for d in documents if d.text.startswith(PROMPT)])
    )
    history = History(tokenizer, words_for_map(rows[:, 0].tolist(), tokenizer))

    def phase(name, config, recipe, rows, **options):
        if args.steps is not None:
            recipe = dataclasses.replace(recipe, steps=args.steps)
        settings = repr((config, recipe, args.seed, text_hash(documents)))
        checkpoint = Checkpoint(args.unfinished / f"{name}.pt", settings)
        return train(config, recipe, rows, seed=args.seed, name=name, checkpoint=checkpoint,
                     **options)  # fmt: skip

    more = with_more(rows, favored, PROMPT_SHARE)
    target = None
    for name, recipe, its_rows in (
        ("copying", COPYING, rows), ("text", TEXT, rows), ("finish", FINISH, more),
    ):  # fmt: skip
        history.begin(name)
        target = phase(name, TARGET, recipe, its_rows, start=target, history=history)
    target = rounded(target)
    history.end(target)
    draft = rounded(phase("draft", DRAFT, DRAFT_RECIPE, rows, teacher=target))
    if rank == 0:
        args.out.mkdir(parents=True, exist_ok=True)
        tokenizer.save(args.out / "tokenizer.json")
        history.save(args.out / HISTORY.name)
        for name, model in (("reference", target), ("draft", draft)):
            model.eos_id = tokenizer.eos_id
            path = args.out / f"{name}.safetensors"
            save_model(model, path, training_text=text_hash(documents))
        shutil.rmtree(args.unfinished)
    if dist.is_initialized():
        dist.destroy_process_group()


def _say(text: str) -> None:
    if rank_and_world()[0] == 0:
        print(f"{text} ...", flush=True)


if __name__ == "__main__":
    main()
