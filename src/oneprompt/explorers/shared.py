"""The constants that Python and JavaScript share, read from shared.js.

from oneprompt.explorers.shared import MAX_TOKENS
"""

import json
import re
from importlib.resources import files

_LINES = files(__package__).joinpath("shared.js").read_text("utf-8")
_VALUES = dict(re.findall(r"^export const (\w+) = (.+?);(?: //.*)?$", _LINES, re.MULTILINE))


def __getattr__(name: str):
    if name not in _VALUES:
        raise AttributeError(f"shared.js has no constant {name}")
    return json.loads(_VALUES[name])


def __dir__():
    return sorted(_VALUES)
