"""Train the reference pair: tokenizer, target and draft, from the glossary alone.

    python -m oneprompt.training              two CPU cores, or a GPU where there is one
    torchrun --nproc-per-node 4 -m oneprompt.training      data parallel

Everything is seeded and the number of steps is fixed.
"""

import argparse
from pathlib import Path

import torch.distributed as dist

from ..answers import PROMPT
from ..checkpoints.own import ASSETS, save_model
from ..corpus.documents import text_hash, training_documents
from ..tokenize import Tokenizer
from .batches import pack, with_more
from .loop import rank_and_world, rounded, train
from .recipe import (
    DRAFT,
    DRAFT_RECIPE,
    FINISH_RECIPE,
    PROMPT_SHARE,
    TARGET,
    TARGET_RECIPE,
    VOCAB_SIZE,
    Recipe,
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the reference pair.")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder for the three files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="steps of the target, for a trial run")
    args = parser.parse_args()
    documents = training_documents()
    tokenizer = Tokenizer.train(documents, VOCAB_SIZE)
    rows, favored = (
        pack([tokenizer.encode(d) for d in group], tokenizer.eos_id, TARGET.context_length)
        for group in (documents, [d for d in documents if d.startswith(PROMPT)])
    )
    recipe = TARGET_RECIPE if args.steps is None else Recipe(steps=args.steps)
    target = rounded(train(TARGET, recipe, rows, seed=args.seed))
    more = with_more(rows, favored, PROMPT_SHARE)
    target = rounded(train(TARGET, FINISH_RECIPE, more, seed=args.seed, start=target))
    draft = rounded(train(DRAFT, DRAFT_RECIPE, rows, seed=args.seed, teacher=target))
    if rank_and_world()[0] == 0:
        args.out.mkdir(parents=True, exist_ok=True)
        tokenizer.save(args.out / "tokenizer.json")
        for name, model in (("reference", target), ("draft", draft)):
            model.eos_id = tokenizer.eos_id
            path = args.out / f"{name}.safetensors"
            save_model(model, path, training_text=text_hash(documents))
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
