"""Rows that cells cover, and counts of cells."""

from __future__ import annotations

import torch

from ddncodec.model.cells import view_cells
from ddncodec.model.rows import filled, positions, rows_of


def test_rows_of_cells_are_their_positions_in_order() -> None:
    image = torch.arange(2 * 4 * 6 * 3).view(2, 4, 6, 3).permute(0, 3, 1, 2)
    cells = torch.tensor([0, 4, 11])
    found = rows_of(image)[positions(cells, torch.Size((2, 2, 3)), 2)]
    assert torch.equal(found.view(3, 2, 2, 3), view_cells(image, 2).flatten(0, 2)[cells])


def test_counts_are_few_and_no_larger_than_allowed() -> None:
    counts = {len(filled(torch.arange(count), 1000)) for count in range(1, 1001)}
    assert len(counts) <= 4 * 10
    assert max(counts) == 1000
    for count in (1, 5, 333, 999):
        cells = filled(torch.arange(7, 7 + count), 1000)
        assert count <= len(cells) <= max(4, 1.5 * count)
        assert torch.equal(cells[:count], torch.arange(7, 7 + count))
        assert (cells[count:] == 7).all()
