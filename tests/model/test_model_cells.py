"""Cells, packing and the cosine basis: exact inverses and an orthonormal basis."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddncodec.model.cells import PACKED, cosine_basis, enlarge, from_cells, pack, shrink, spread, to_cells, unpack

SMALL = st.integers(1, 3)


@settings(deadline=None, max_examples=25)
@given(batch=SMALL, rows=SMALL, cols=SMALL)
def test_unpack_inverts_pack(batch: int, rows: int, cols: int) -> None:
    picture = torch.rand(batch, 3, 4 * rows, 4 * cols)
    assert torch.equal(unpack(pack(picture)), picture)
    assert pack(picture).shape == (batch, PACKED, rows, cols)


@settings(deadline=None, max_examples=25)
@given(batch=SMALL, rows=SMALL, cols=SMALL, side=SMALL, width=SMALL)
def test_from_cells_inverts_to_cells(batch: int, rows: int, cols: int, side: int, width: int) -> None:
    trunk = torch.rand(batch, 16 * width, rows * side, cols * side)
    cells = to_cells(trunk, side, width)
    assert cells.shape == (batch, rows, cols, 16 * side * side, width)
    assert torch.equal(from_cells(cells, side), trunk)


@pytest.mark.parametrize("side", [1, 2, 3])
def test_cells_hold_the_pixels_of_their_square(side: int) -> None:
    picture = torch.arange(3 * (8 * side) ** 2).float().view(1, 3, 8 * side, 8 * side)
    cells = to_cells(pack(picture), side, 3)
    square = picture[0, :, : 4 * side, 4 * side :].flatten(1).T
    rows = {tuple(pixel.tolist()) for pixel in cells[0, 0, 1]}
    assert rows == {tuple(pixel.tolist()) for pixel in square}


@pytest.mark.parametrize(("side", "count"), [(1, 16), (1, 5), (2, 24), (4, 24), (3, 144)])
def test_cosine_basis_is_orthonormal_and_starts_with_the_mean(side: int, count: int) -> None:
    basis = cosine_basis(side, count)
    torch.testing.assert_close(basis @ basis.T, torch.eye(count), rtol=0, atol=1e-5)
    torch.testing.assert_close(basis[0], torch.full(((4 * side) ** 2,), 1 / (4 * side)))


def test_cosines_of_a_cell_in_pixel_order_are_smooth_waves() -> None:
    """Basis function 1 varies along one direction only: cell order and picture order agree."""
    wave = from_cells(cosine_basis(2, 3)[1].view(1, 1, 1, 64, 1).expand(-1, -1, -1, -1, 3), 2)
    plane = unpack(wave)[0, 0]
    expected = torch.cos(math.pi / 8 * (torch.arange(8) + 0.5)) / math.sqrt(32)
    torch.testing.assert_close(plane, expected.expand(8, 8), rtol=0, atol=1e-6)


def test_enlarge_and_shrink_keep_flat_pictures_and_sizes() -> None:
    flat = torch.full((2, 3, 16, 24), 0.25)
    assert torch.equal(shrink(flat, 1), flat)
    assert shrink(flat, 4).shape == (2, 3, 4, 6)
    torch.testing.assert_close(shrink(flat, 2), flat[:, :, :8, :12])
    larger = unpack(enlarge(pack(flat)))
    assert larger.shape == (2, 3, 32, 48)
    torch.testing.assert_close(larger, torch.full_like(larger, 0.25))


def test_shrink_averages_areas() -> None:
    picture = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(shrink(picture, 2)[0, 1, 2, 3], picture[0, 1, 4:6, 6:8].mean())


def test_shrink_of_enlarged_follows_a_gradient() -> None:
    ramp = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    back = shrink(unpack(enlarge(pack(ramp))), 2)
    torch.testing.assert_close(back[..., 2:-2], ramp[..., 2:-2], rtol=0, atol=1e-5)


def test_spread_repeats_each_cell() -> None:
    values = torch.arange(6.0).view(1, 1, 2, 3)
    assert spread(values, 1) is values
    assert torch.equal(spread(values, 2)[0, 0, :2], torch.tensor([[0.0, 0, 1, 1, 2, 2]] * 2))
