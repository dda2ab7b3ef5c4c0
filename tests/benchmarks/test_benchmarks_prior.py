"""The same indices are coded in three ways, and the table says what the prior saves."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.prior import CSV_NAME, PriorRow, render

GOLDEN = Path(__file__).parents[1] / "golden"


def test_the_table_compares_totals() -> None:
    rows = [PriorRow(name, 100, 80, "tiny", 50.0, 1, 1000, size, size - 60) for name, size in (("a", 500), ("b", 700))]
    assert render(rows).splitlines()[2:] == ["| 50 | 1.000 | 0.600 | 0.540 | 10.0% |"]


def test_streams_of_a_model_with_a_prior_are_measured(pictures: Path, tmp_path: Path) -> None:
    arguments = ["prior", "--images", pictures, "--model", GOLDEN / "foretold.safetensors", "--qualities", "95"]
    result = CliRunner().invoke(main, [*map(str, arguments), "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    with (tmp_path / CSV_NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(list(pictures.iterdir()))
    assert all(0 < int(row["prior"]) < int(row["plain"]) for row in rows)


@pytest.mark.parametrize("arguments", [["--model", str(GOLDEN / "tiny.safetensors")], ["--qualities", "much"]])
def test_what_cannot_be_compared_is_refused(pictures: Path, tmp_path: Path, arguments: list[str]) -> None:
    given = ["prior", "--images", pictures, "--out", tmp_path / "out", "--model", GOLDEN / "foretold.safetensors"]
    result = CliRunner().invoke(main, [*map(str, given), *arguments])
    assert result.exit_code == 1
    assert not (tmp_path / "out").exists()
