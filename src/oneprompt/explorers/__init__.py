"""Interactive figures: widgets in a notebook, alive on the static page as well."""

from oneprompt.explorers.sample import SamplingExplorer

__all__ = ["SamplingExplorer"]
