"""Interactive figures: widgets in a notebook, alive on the static page as well."""

from oneprompt.explorers.attention import AttentionExplorer
from oneprompt.explorers.autoregress import AutoregressExplorer
from oneprompt.explorers.embed import EmbedExplorer
from oneprompt.explorers.feedforward import FeedForwardExplorer
from oneprompt.explorers.logits import LogitsExplorer
from oneprompt.explorers.playground import Playground
from oneprompt.explorers.position import PositionExplorer
from oneprompt.explorers.sample import SamplingExplorer
from oneprompt.explorers.speculate import SpeculationExplorer
from oneprompt.explorers.tokenize import TokenizeExplorer

__all__ = [
    "AttentionExplorer", "AutoregressExplorer", "EmbedExplorer", "FeedForwardExplorer",
    "LogitsExplorer", "Playground", "PositionExplorer", "SamplingExplorer", "SpeculationExplorer",
    "TokenizeExplorer",
]  # fmt: skip
