"""The tuned lens: least-squares maps to the last block's output, and what is read through them."""

import pytest
import torch
from models import small_model

import oneprompt as op
from oneprompt import tuned_lens
from oneprompt.checkpoints.quantize import rounded
from oneprompt.logits import lens

TEXTS = [[1, 2, 3, 4, 5], [7, 5, 3, 1], [20, 10, 0, 30], [9, 9, 8, 2, 6, 4]]


@pytest.fixture
def model():
    return small_model()


def test_the_streams_are_what_enters_and_leaves_every_block(model):
    x = tuned_lens.streams(model, TEXTS[0])
    trace = model.trace(torch.tensor([TEXTS[0]]))
    assert torch.equal(x[0], trace.embedding[0])
    assert torch.equal(x[1:], torch.cat([layer.output for layer in trace.layers]))


def test_the_maps_are_the_least_squares_solution(model):
    """No other map has a smaller sum of squares, with the ridge counted."""
    tuned = tuned_lens.fit(model, TEXTS)
    x = torch.cat([tuned_lens.streams(model, ids) for ids in TEXTS], dim=1)

    def squares(layer, depth):
        size = sum(p.square().sum() for p in layer.parameters())
        return (layer(x[depth]) - x[-1]).square().sum() + tuned_lens.RIDGE * size

    generator = torch.Generator().manual_seed(0)
    for depth, layer in enumerate(tuned.maps):
        best = squares(layer, depth).item()
        for parameter in layer.parameters():
            step = 0.01 * torch.randn(parameter.shape, generator=generator)
            for sign in (1, -2, 1):  # there, past it, and back
                parameter.add_(sign * step)
                assert squares(layer, depth).item() >= best - 1e-3


def test_the_last_depth_is_read_without_a_map(model):
    tuned = tuned_lens.fit(model, TEXTS)
    x = tuned_lens.streams(model, TEXTS[1])
    read = tuned(model, x)
    assert torch.equal(read[-1], lens(model, x[-1]))
    assert torch.allclose(read[0], lens(model, tuned.maps[0](x[0])), atol=1e-5)


def test_a_text_longer_than_the_context_is_cut_there():
    model = small_model(context_length=4)
    long, cut = ([[1, 2, 3, 4, 5, 6][:n], [7, 5, 3]] for n in (6, 4))
    for a, b in zip(
        *(tuned_lens.fit(model, texts).parameters() for texts in (long, cut)), strict=True
    ):
        assert torch.equal(a, b)


def test_the_glossary_lens_is_held_as_the_page_holds_it(reference_lens):
    before = {name: p.clone() for name, p in reference_lens.state_dict().items()}
    rounded(reference_lens)
    for name, parameter in reference_lens.state_dict().items():
        assert torch.equal(parameter, before[name])


@pytest.fixture(scope="module")
def reference_lens():
    return tuned_lens.glossary_lens(op.load_model(), op.load_tokenizer())
