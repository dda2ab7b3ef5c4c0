"""The tiny model needs no more bytes for its quality than when baseline.csv was written."""

from pathlib import Path

from make_baseline import BASELINE, measure_tiny

from benchmarks.compare.baseline import compare, losses, render
from benchmarks.compare.rows import read_rows


def test_no_rate_was_lost_since_the_baseline(tmp_path: Path) -> None:
    change = compare(read_rows(BASELINE), measure_tiny(tmp_path))
    assert change.pictures == 2
    assert losses(change, max_loss=1, max_slowdown=2) == [], render(change)
