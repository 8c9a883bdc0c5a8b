"""Embedding is reading rows, and so is multiplying by one-hot vectors."""

import pytest
import torch
import torch.nn.functional as F

from oneprompt.embed import embed, flatten, nearest

TABLE = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))


def test_embedding_reads_the_row_of_each_id():
    ids = torch.tensor([[2, 0, 6], [1, 1, 3]])
    expected = torch.stack([torch.stack([TABLE[i] for i in row]) for row in ids.tolist()])
    assert torch.equal(embed(ids, TABLE), expected)
    assert torch.equal(embed(ids[0], TABLE), expected[0])


def test_embedding_equals_one_hot_times_table_and_so_does_its_gradient():
    ids = torch.tensor([2, 0, 2])
    gradients = []
    for vectors in (embed, lambda ids, table: F.one_hot(ids, 7).float() @ table):
        table = TABLE.clone().requires_grad_()
        (vectors(ids, table) * torch.arange(12.0).view(3, 4)).sum().backward()
        gradients.append(table.grad)
    # Sums of two float32 products: equal up to a few units in the last place.
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize(
    ("ids", "error", "words"),
    [
        (torch.tensor([0.0, 1.0]), TypeError, r"integers \(int64\), got torch.float32.*encode"),
        (torch.tensor([True]), TypeError, r"integers \(int64\), got torch.bool"),
        (torch.empty(1, 0, dtype=torch.int64), ValueError, "no token ids; give .* at least one"),
        (torch.tensor([3, 7]), ValueError, r"id 7 is outside the vocabulary \(0 to 6\).*tokenizer"),
        (torch.tensor([[3, -1]]), ValueError, r"id -1 is outside the vocabulary \(0 to 6\)"),
    ],
)
def test_ids_without_a_row_are_refused(ids, error, words):
    with pytest.raises(error, match=words):
        embed(ids, TABLE)


def test_nearest_rows_are_those_at_the_smallest_angle():
    unit = F.normalize(TABLE, dim=1)
    ids, cosines = nearest(TABLE * torch.arange(1.0, 8)[:, None], 2, 6)  # lengths do not count
    expected = unit @ unit[2]
    assert sorted(ids.tolist()) == [0, 1, 3, 4, 5, 6]
    assert torch.allclose(cosines, expected[ids], atol=1e-6)
    assert (cosines.diff() <= 0).all()
    assert nearest(TABLE, 2, 2)[0].tolist() == ids[:2].tolist()


def test_the_map_of_points_in_a_tilted_plane_keeps_their_distances():
    flat = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    axes = torch.linalg.qr(torch.randn(5, 2, generator=torch.Generator().manual_seed(1)))[0]
    points, kept = flatten(flat @ axes.T + 7)
    assert torch.allclose(torch.cdist(points, points), torch.cdist(flat, flat), atol=1e-4)
    assert kept == pytest.approx(1, abs=1e-6)


def test_the_map_takes_the_two_widest_directions():
    corners = torch.cat([torch.eye(3), -torch.eye(3)]) * torch.tensor([1.0, 3.0, 2.0])
    points, kept = flatten(corners)
    assert kept == pytest.approx(13 / 14)  # 2 (9 + 4) of 2 (1 + 9 + 4)
    assert points[1].abs().tolist() == pytest.approx([3, 0], abs=1e-6)
    assert points[2].abs().tolist() == pytest.approx([0, 2], abs=1e-6)
