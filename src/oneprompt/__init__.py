"""One Prompt: a language model, one step per module.

import oneprompt as op
print(op.answer(op.PROMPT))

or step by step:

tokenizer, model = op.load_tokenizer(), op.load_model()
ids = tokenizer.encode(op.PROMPT)
print(tokenizer.decode(op.generate(model, ids, max_new_tokens=60).ids))
"""

from .answers import PROMPT, answer
from .autoregress import generate, stream, stream_text
from .cache import KVCache
from .checkpoints.chat import chat_ids
from .checkpoints.export import export_hf
from .checkpoints.own import load_model, save_model
from .checkpoints.public import load_pretrained
from .compact import to_half, to_int8
from .config import ModelConfig
from .corpus import load_glossary
from .draft import NGramTable, PromptLookup
from .generation import Generation
from .model import Transformer
from .processors import Allow, LogitBias, RepetitionCost
from .sample import GREEDY, Sampling, probabilities
from .scoring import score
from .speculate import SpeculativeDecoder, speculative_generate
from .stopping import StopStrings
from .tokenize import BytePairEncoding, Tokenizer, load_tokenizer

__version__ = "1.0.0"

__all__ = [
    "GREEDY", "PROMPT", "Allow", "BytePairEncoding", "Generation", "KVCache", "LogitBias",
    "ModelConfig", "NGramTable", "PromptLookup", "RepetitionCost", "Sampling",
    "SpeculativeDecoder", "StopStrings", "Tokenizer", "Transformer", "answer", "chat_ids",
    "export_hf", "generate", "load_glossary", "load_model", "load_pretrained", "load_tokenizer",
    "probabilities", "save_model", "score", "speculative_generate", "stream", "stream_text",
    "to_half", "to_int8",
]  # fmt: skip
