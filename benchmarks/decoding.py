"""How much the KV cache and speculation save, measured side by side in one run.

    python benchmarks/decoding.py

Every variant answers the same prompts in turn, round after round; the table shows the best round of
each, relative to plain cached decoding. All variants give the same text, which is asserted.
"""

import time
from collections.abc import Callable

import torch
from tqdm import tqdm

import oneprompt as op
from oneprompt.corpus.documents import CANONICAL, ask, training_documents

N_PROMPTS, N_ROUNDS, N_TOKENS = 16, 5, 80


def variants(target, draft, table) -> dict[str, Callable]:
    """name -> function from prompt ids to a Generation."""
    chosen = {
        "cached": lambda ids: op.generate(target, ids, N_TOKENS),
        "without a cache": lambda ids: op.generate(target, ids, N_TOKENS, use_cache=False),
    }
    for name, proposer in (("draft model", draft), ("4-gram table", table)):
        for gamma in (1, 2, 3, 5, 8):
            decoder = op.SpeculativeDecoder(target, proposer)
            chosen[f"{name}, gamma {gamma}"] = lambda ids, decoder=decoder, gamma=gamma: (
                decoder.generate(ids, N_TOKENS, gamma=gamma)
            )
    return chosen


def main() -> None:
    torch.set_num_threads(2)
    tokenizer, target, draft = op.load_tokenizer(), op.load_model(), op.load_model("draft")
    documents = [[*tokenizer.encode(text), tokenizer.eos_id] for text in training_documents(8000)]
    table = op.NGramTable(documents, tokenizer.vocab_size)
    prompts = [tokenizer.encode(ask(CANONICAL, entry)) for entry in op.load_glossary()[:N_PROMPTS]]
    expected = [op.generate(target, ids, N_TOKENS).ids for ids in prompts]
    chosen = variants(target, draft, table)
    best, passes, accepted = {}, {}, {}
    for _ in tqdm(range(N_ROUNDS), desc="rounds"):
        for name, run in chosen.items():
            start = time.perf_counter()
            results = [run(ids) for ids in prompts]
            best[name] = min(time.perf_counter() - start, best.get(name, float("inf")))
            assert [result.ids for result in results] == expected, name
            passes[name] = sum(result.target_passes for result in results)
            drafted = sum(result.drafted for result in results)
            kept = sum(result.accepted for result in results)
            accepted[name] = f"{kept / drafted:.2f}" if drafted else ""
    n_tokens = sum(map(len, expected))
    print(f"{'':24}{'tokens per pass':>16}{'accepted':>10}{'ms per token':>14}{'speed':>8}")
    for name, seconds in best.items():
        print(
            f"{name:24}{n_tokens / passes[name]:16.2f}{accepted[name]:>10}"
            f"{1000 * seconds / n_tokens:14.2f}{best['cached'] / seconds:7.2f}x"
        )


if __name__ == "__main__":
    main()
