"""Both sides: their models, and how each generates.

GPT-2's shape has random weights, SmolLM2 is the real model, the reference is the book's own.
"""

import time
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    StoppingCriteria,
    StoppingCriteriaList,
)

import oneprompt as op
from oneprompt.checkpoints.families.llama import LLAMA

from .timing import Call, differences, timed_ids

GPT2, SMOLLM2, REFERENCE = "GPT-2's shape", "SmolLM2-135M", "reference"
TEXT = (
    "A language model gives every token a probability. Each new token is chosen from these, joins "
    "the text, and the model reads on. Training is what makes the probabilities good: the model"
)


def save_models(folder: Path) -> dict[str, Path]:
    """Checkpoints that `transformers` loads: GPT-2 (124 M), SmolLM2 (135 M), the reference."""
    torch.manual_seed(0)
    folders = {name: folder / name for name in (GPT2, SMOLLM2, REFERENCE)}
    gpt2 = GPT2Config(eos_token_id=None, bos_token_id=None)
    GPT2LMHeadModel(gpt2).eval().save_pretrained(folders[GPT2])
    as_llama(op.load_pretrained("smollm2")[0]).save_pretrained(folders[SMOLLM2])
    op.export_hf(op.load_model(), op.load_tokenizer(), folders[REFERENCE])
    return folders


def as_llama(model: op.Transformer) -> LlamaForCausalLM:
    """A tied model of the Llama family as one of `transformers`, with the same weights."""
    c = model.config
    twin = LlamaForCausalLM(LlamaConfig(
        vocab_size=c.vocab_size, hidden_size=c.d_model, intermediate_size=c.d_ff,
        num_hidden_layers=c.n_layers, num_attention_heads=c.n_heads,
        num_key_value_heads=c.n_kv_heads, max_position_embeddings=c.context_length,
        rms_norm_eps=c.norm_eps, tie_word_embeddings=True, bos_token_id=None, eos_token_id=None,
        rope_parameters={"rope_type": "default", "rope_theta": c.rope_theta},
    ))  # fmt: skip
    weights = {their_name(name): p.detach() for name, p in model.named_parameters()}
    missing, unexpected = twin.load_state_dict(weights, strict=False)
    if missing != ["lm_head.weight"] or unexpected:  # it is the embedding
        raise ValueError(f"no model of the Llama family: {missing} missing, {unexpected} too many")
    return twin.eval()


def their_name(name: str) -> str:
    """The name in a Llama checkpoint of one of our parameters."""
    parts = name.removesuffix(".weight").split(".")
    layer = next((part for part in parts if part.isdigit()), "")
    ours = ".".join("*" if part.isdigit() else part for part in parts)
    theirs = next((theirs for theirs, module in LLAMA.modules.items() if module == ours), ours)
    return f"model.{theirs.replace('*', layer)}.weight"


def load_ours(name: str, folder: Path) -> op.Transformer:
    if name == REFERENCE:
        return op.load_model()
    if name == SMOLLM2:
        return op.load_pretrained("smollm2")[0]
    return op.load_pretrained(folder, ignore=["transformers_version", "dtype"])[0]


def load_theirs(folder: Path, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def prompt_of(name: str, vocab_size: int, length: int) -> list[int]:
    """Random ids for random weights, and English for models that know it."""
    if name == SMOLLM2:
        return op.load_pretrained("smollm2")[1].encode(TEXT)[:length]
    if name == REFERENCE:
        return op.load_tokenizer().encode(TEXT)[:length]
    return random_prompt(vocab_size, length)


def random_prompt(vocab_size: int, length: int, seed: int = 1) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, vocab_size, (length,), generator=generator).tolist()


class Clock(StoppingCriteria):
    """Notes the time after every token of `transformers.generate`."""

    def __init__(self):
        self.times = []

    def __call__(self, ids, scores, **kwargs):
        self.times.append(time.perf_counter())
        return torch.zeros(ids.shape[0], dtype=torch.bool)


def run_theirs(model: PreTrainedModel, ids: list[int], n_new: int, **settings) -> Call:
    """Greedy decoding by `transformers.generate`."""
    clock, rows, start = Clock(), torch.tensor([ids]), time.perf_counter()
    with torch.inference_mode():
        out = model.generate(
            rows, attention_mask=torch.ones_like(rows), max_new_tokens=n_new, do_sample=False,
            eos_token_id=None, pad_token_id=0, stopping_criteria=StoppingCriteriaList([clock]),
            **settings,
        )  # fmt: skip
    return Call(differences([start, *clock.times]), out[0, len(ids) :].tolist())


def run_ours(model: op.Transformer, ids: list[int], n_new: int, **settings) -> Call:
    """Greedy decoding by `oneprompt.stream`."""
    return timed_ids(lambda: op.stream(model, ids, n_new, stop_ids=(), **settings))
