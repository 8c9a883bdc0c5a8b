"""Tokenizers like those of public checkpoints, small and trained on the spot."""

import json

import tokenizers
from questions import training_texts
from tokenizers import AddedToken, Regex, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

SPLIT = Regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+"
              r"[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")  # fmt: skip
TEXTS = [
    "What is machine learning?", " two  spaces,   three", "déjà vu 中文 🙂\n\n\tend", "1234567",
    "don't", "\ufeff\x85 odd", "", "a", " " * 40 + "x",
]  # fmt: skip


def train(backend: tokenizers.Tokenizer, **options) -> tokenizers.Tokenizer:
    backend.train_from_iterator(
        training_texts(200), BpeTrainer(vocab_size=360, show_progress=False, **options)
    )
    return backend


def byte_level(splitter=None, **options) -> tokenizers.Tokenizer:
    backend = tokenizers.Tokenizer(BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if splitter is not None:
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(splitter, "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    backend.decoder = decoders.ByteLevel()
    return train(backend, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **options)


def begins_with(backend: tokenizers.Tokenizer, token: str) -> None:
    backend.post_processor = TemplateProcessing(
        single=f"{token} $A", special_tokens=[(token, backend.token_to_id(token))]
    )


def gpt2():
    backend = byte_level()
    backend.add_special_tokens(["<|endoftext|>"])  # with the last id
    return backend, "<|endoftext|>"


def pythia():
    """NFC, EOS with id 0, and runs of spaces as added tokens that are not special."""
    backend = byte_level(special_tokens=["<|endoftext|>", "<|padding|>"])
    backend.normalizer = normalizers.NFC()
    backend.add_tokens([AddedToken(" " * n, normalized=True) for n in range(12, 1, -1)])
    return backend, "<|endoftext|>"


def llama3():
    backend = byte_level(SPLIT)
    backend.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])
    begins_with(backend, "<|begin_of_text|>")
    return backend, "<|eot_id|>"


def qwen2():
    backend = byte_level(SPLIT)
    backend.normalizer = normalizers.NFC()
    backend.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return backend, "<|im_end|>"


def smollm():
    """Each digit alone, then GPT-2's pattern."""
    backend = byte_level()
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    backend.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return backend, "<|im_end|>"


def llama2():
    """SentencePiece: spaces are "▁", one is put in front, unknown characters fall back to bytes."""
    backend = tokenizers.Tokenizer(BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    backend.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    special = ["<unk>", "<s>", "</s>"]
    train(backend, special_tokens=special + [f"<0x{b:02X}>" for b in range(256)])
    strip_first = decoders.Strip(" ", 1, 0)
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), strip_first]
    )
    begins_with(backend, "<s>")
    spec = json.loads(backend.to_str())  # the bytes are ordinary tokens there
    spec["added_tokens"] = [t for t in spec["added_tokens"] if t["content"] in special]
    return tokenizers.Tokenizer.from_str(json.dumps(spec)), "</s>"


def gemma():
    """SentencePiece without a space in front, and with runs of spaces and of line ends."""
    backend = tokenizers.Tokenizer(BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    backend.normalizer = normalizers.Replace(" ", "▁")
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    train(backend, special_tokens=special + [f"<0x{b:02X}>" for b in range(256)])
    spec = json.loads(backend.to_str())
    spec["added_tokens"] = [t for t in spec["added_tokens"] if t["content"] in special]
    vocab, merges = spec["model"]["vocab"], spec["model"]["merges"]
    for n in (2, 3, 4):  # merged last of all, as they have the highest ids
        vocab["▁" * n] = len(vocab)
        merges += [["▁" * k, "▁" * (n - k)] for k in range(n - 1, 0, -1)]
    backend = tokenizers.Tokenizer.from_str(json.dumps(spec))
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    backend.add_tokens([AddedToken("\n\n", normalized=False)])
    begins_with(backend, "<bos>")
    return backend, "<eos>"


MAKES = {make.__name__: make for make in (gpt2, pythia, llama3, qwen2, smollm, llama2, gemma)}
