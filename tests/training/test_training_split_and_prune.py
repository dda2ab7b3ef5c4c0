"""Algorithm 1: the busiest output is halved into the deadest, by the paper's thresholds, everything moving along."""

from __future__ import annotations

import torch

from ddncodec.training.split_and_prune import plan_splits, split_rows


def test_a_dead_output_gets_half_of_the_busiest() -> None:
    counts = torch.tensor([10.0, 0.0, 30.0, 12.0])
    pairs, after = plan_splits(counts, 0.5, limit=4)
    assert pairs == [(1, 2)] and after.tolist() == [10, 15, 15, 12]


def test_an_output_over_its_share_is_split_although_none_is_dead() -> None:
    counts = torch.tensor([8.0, 7.0, 40.0, 9.0])
    assert plan_splits(counts, 0.4, limit=4)[0] == []
    pairs, after = plan_splits(counts, 0.4, limit=4, split_above=2.0)
    assert pairs == [(1, 2)] and after.tolist() == [8, 20, 20, 9]


def test_even_counts_are_left_alone() -> None:
    counts = torch.full((6,), 3.0)
    assert plan_splits(counts, 0.5, limit=6, split_above=2.0)[0] == []


def test_the_limit_holds() -> None:
    counts = torch.tensor([100.0, 0.0, 0.0, 0.0])
    assert len(plan_splits(counts, 0.5, limit=2)[0]) == 2


def test_rows_of_every_table_move() -> None:
    tables = [torch.arange(3.0), torch.arange(6.0).view(3, 2)]
    split_rows(tables, [(0, 2)])
    assert tables[0].tolist() == [2, 1, 2]
    assert tables[1].tolist() == [[4, 5], [2, 3], [4, 5]]
