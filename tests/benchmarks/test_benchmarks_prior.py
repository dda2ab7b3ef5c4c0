"""The same indices are coded in three ways, and the table says what the prior saves."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.experiments.prior import CSV_NAME, PriorRow, render

GOLDEN = Path(__file__).parents[1] / "golden"


def test_the_table_compares_totals() -> None:
    pictures = (("a", 500), ("b", 700))
    rows = [PriorRow(name, 100, 80, "tiny", 50.0, 1, 1000, size, size - 60, 30.0) for name, size in pictures]
    assert render(rows).splitlines()[2:] == ["| 50 | 1.000 | 0.600 | 0.540 | 10.0% |"]


def test_savings_at_several_qualities_are_summed_up_as_bd_rate() -> None:
    def row(quality: float, tables: int, prior: int) -> PriorRow:
        return PriorRow("a", 100, 80, "tiny", quality, 1, 9000, tables, prior, 20 + quality / 10)

    evenly = [row(quality, size, size * 9 // 10) for quality, size in ((10.0, 1000), (50.0, 2000), (90.0, 4000))]
    assert render(evenly).splitlines()[-1] == "| BD-rate | | | | 10.0% |"
    rarely = [row(10.0, 1000, 900), row(50.0, 2000, 2000), row(90.0, 4000, 4000)]
    assert 0 < float(render(rarely).splitlines()[-1].rsplit("|", 2)[1].strip(" %")) < 5


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
