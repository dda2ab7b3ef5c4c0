"""Every effort is measured at every quality, and the table compares with the lowest."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.experiments.effort import CSV_NAME, EffortRow, render


def row(effort: int, size: int, psnr: float, seconds: float) -> EffortRow:
    return EffortRow("a.png", 100, 80, "tiny", 50.0, effort, size, size * 8 / 8000, psnr, seconds)


def test_the_table_says_what_is_saved_and_what_it_costs() -> None:
    rows = [row(1, 1000, 30.0, 1.0), row(1, 2000, 33.0, 1.0), row(5, 900, 30.0, 3.0), row(5, 1800, 33.0, 4.0)]
    assert render(rows).splitlines()[2:] == ["| 1 | +0.0 % | 1.0 |", "| 5 | -10.0 % | 3.5 |"]


def test_efforts_are_measured(pictures: Path, tiny_path: Path, tmp_path: Path) -> None:
    arguments = ["effort", "--images", pictures, "--model", tiny_path, "--qualities", "30,80", "--efforts", "1,4"]
    result = CliRunner().invoke(main, [*map(str, arguments), "--side", "32", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    with (tmp_path / CSV_NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted({(each["quality"], each["effort"]) for each in rows}) == [
        ("30.0", "1"), ("30.0", "4"), ("80.0", "1"), ("80.0", "4"),
    ]  # fmt: skip
    assert all((each["width"], each["height"]) == ("32", "32") for each in rows)
    assert all(float(each["bpp"]) == pytest.approx(int(each["bytes"]) * 8 / 1024) for each in rows)
    assert len(result.output.strip().splitlines()) == 4
