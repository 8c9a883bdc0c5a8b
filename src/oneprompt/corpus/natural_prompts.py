"""200 prompts as people type them, with what a good answer to each may be.

They were written before the training text learned to answer such prompts, and none of them is in
it, so that the model's answers to them tell how it does on prompts that nobody foresaw.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

ON, OFF = "on the subject", "off the subject"


@dataclass(frozen=True)
class NaturalPrompt:
    """A prompt, and what a good answer to it may be.

    `terms` are the entries that answer it, none if it is off the subject; `names` is what a
    refusal may name, none if there is nothing to name.
    """

    text: str
    kind: str  # "plural", "all caps", "greeting", ...
    terms: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return ON if self.terms else OFF


@cache
def natural_prompts() -> tuple[NaturalPrompt, ...]:
    """All of them, kind by kind, first those on the subject."""
    kinds = yaml.safe_load((files(__package__) / "natural_prompts.yaml").read_text("utf-8"))
    return tuple(
        NaturalPrompt(
            fields["prompt"], kind, tuple(fields.get("terms", ())), tuple(fields.get("names", ()))
        )
        for group in (ON, OFF)
        for kind, prompts in kinds[group].items()
        for fields in prompts
    )
