"""Where units are most active, and what comes next without them."""

from copy import deepcopy

import pytest
import torch
from models import small_model

from oneprompt.units import logits_without_units, strongest_places

MODEL = small_model()
IDS = torch.tensor([[1, 4, 2, 7], [3, 3, 9, 5]])


def test_the_strongest_places_are_those_of_the_trace():
    places = strongest_places(MODEL, IDS, 3)
    assert places.shape == (MODEL.config.n_layers, MODEL.config.d_ff, 3)
    for layer, found in zip(MODEL.trace(IDS).layers, places, strict=True):
        activity = layer.hidden.flatten(0, 1)  # (B T, F)
        expected = activity.sort(dim=0, descending=True).values[:3].T
        assert torch.allclose(activity.T.gather(1, found), expected, atol=1e-5)


@pytest.mark.parametrize("silent", [[], [5], [0, 5, 9]])
def test_silent_units_write_nothing_at_any_position(silent):
    changed = deepcopy(MODEL)
    changed.blocks[0].feedforward.down.weight.data[:, silent] = 0
    found = logits_without_units(MODEL, IDS[0], 0, silent)
    assert torch.allclose(found, changed(IDS[:1])[0, -1], atol=1e-5)


def test_measuring_leaves_the_model_as_it_was():
    before = MODEL(IDS)
    strongest_places(MODEL, IDS, 2)
    logits_without_units(MODEL, IDS[0], 1, range(MODEL.config.d_ff))
    assert torch.equal(MODEL(IDS), before)
