"""The sampler's settings as an explorer's traits, and as the package's own `Sampling`."""

from dataclasses import fields
from typing import ClassVar

from traitlets import HasTraits, validate

from oneprompt.sample import Sampling

SETTINGS = tuple(field.name for field in fields(Sampling))


class SamplerTraits(HasTraits):
    """For explorers that have some of the fields of `Sampling` as traits by the same names.

    A slider has no place for None, so that a number turns a filter off; see `OFF`.
    """

    OFF: ClassVar = {"top_k": 0, "top_p": 1, "min_p": 0}

    @property
    def sampling(self) -> Sampling:
        """The settings as the package's own `Sampling`."""
        return self._sampling()

    def _sampling(self, **changed) -> Sampling:
        given = {name: getattr(self, name) for name in SETTINGS if self.has_trait(name)} | changed
        return Sampling(**{
            name: None if name in self.OFF and value == self.OFF[name] else value
            for name, value in given.items()
        })  # fmt: skip

    @validate(*SETTINGS)
    def _check_setting(self, proposal):
        self._sampling(**{proposal.trait.name: proposal.value})  # raises on a bad value
        return proposal.value
