"""Interactive figures: widgets in a notebook that also work on a static page."""

from oneprompt.explorers.attention.explorer import AttentionExplorer
from oneprompt.explorers.autoregress.explorer import AutoregressExplorer
from oneprompt.explorers.embed.explorer import EmbedExplorer
from oneprompt.explorers.feedforward.explorer import FeedForwardExplorer
from oneprompt.explorers.logits.explorer import LogitsExplorer
from oneprompt.explorers.merges.explorer import MergesExplorer
from oneprompt.explorers.playground.explorer import Playground
from oneprompt.explorers.position.explorer import PositionExplorer
from oneprompt.explorers.sample.explorer import SamplingExplorer
from oneprompt.explorers.scale.explorer import ScaleExplorer
from oneprompt.explorers.speculate.explorer import SpeculationExplorer
from oneprompt.explorers.tokenize.explorer import TokenizeExplorer

__all__ = [
    "AttentionExplorer", "AutoregressExplorer", "EmbedExplorer", "FeedForwardExplorer",
    "LogitsExplorer", "MergesExplorer", "Playground", "PositionExplorer", "SamplingExplorer",
    "ScaleExplorer", "SpeculationExplorer", "TokenizeExplorer",
]  # fmt: skip
