"""Rows survive the file unchanged, and a killed run costs one row."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.compare.rows import RdRow, append_row, open_rows, read_rows, write_rows
from benchmarks.errors import BenchmarkError

Rows = Callable[..., list[RdRow]]


def test_rows_round_trip_exactly(tmp_path: Path, rows_of: Rows) -> None:
    rows = rows_of('jpeg, "quoted"', rate=1 / 3)
    path = tmp_path / "rd.csv"
    assert open_rows(path) == []
    for row in rows:
        append_row(path, row)
    assert read_rows(path) == rows
    assert {(row.ms_ssim, row.decode_memory) for row in read_rows(path)} == {(None, None)}


@pytest.mark.parametrize("lost", [1, 20, 100])
def test_unfinished_last_row_is_cut_off(tmp_path: Path, rows_of: Rows, lost: int) -> None:
    rows = rows_of("jpeg")
    path = tmp_path / "rd.csv"
    write_rows(path, rows)
    path.write_bytes(path.read_bytes()[:-lost])
    assert open_rows(path) == rows[:-1]
    append_row(path, rows[-1])
    assert read_rows(path) == rows


def test_file_cut_within_its_header_starts_over(tmp_path: Path) -> None:
    path = tmp_path / "rd.csv"
    path.write_text("image,wid")
    assert open_rows(path) == []
    assert read_rows(path) == []


def test_foreign_columns_and_values_are_errors(tmp_path: Path, rows_of: Rows) -> None:
    path = tmp_path / "rd.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(BenchmarkError, match="columns must be"):
        open_rows(path)
    write_rows(path, rows_of("jpeg"))
    path.write_text(path.read_text().replace(",100,80,", ",wide,80,"))
    with pytest.raises(BenchmarkError, match="line 2"):
        read_rows(path)
