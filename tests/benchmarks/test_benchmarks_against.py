"""A commit and this checkout run in turn, each with its own tree, on the same streams."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawing import draw_picture

from benchmarks.compare import against
from benchmarks.errors import BenchmarkError


def test_an_unknown_commit_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="no-such-commit"), against.checked_out("no-such-commit"):
        pass


def test_a_commit_is_taken_out_whole() -> None:
    with against.checked_out("HEAD") as folder:
        assert (folder / "ddncodec" / "__init__.py").is_file()
        assert (folder / "bitstream" / "FORMAT.md").is_file()
    assert not folder.exists()


def test_a_row_for_each_work_and_quality(tiny_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(against, "QUALITIES", (50,))
    lines = list(against.report("HEAD", draw_picture(40, 60, 1), str(tiny_path), "float32", [0.01], 1))
    assert [line.split()[0] for line in lines[2:]] == ["decode", "encode"]
    for line in lines[2:]:
        numbers = [float(word) for word in line.split()[1:]]
        assert numbers[:2] == [0.0, 50.0]
        assert all(number > 0 for number in numbers[2:])


def test_a_process_that_ends_is_an_error(tmp_path: Path) -> None:
    side = against.Side(against.ROOT, "no-such-model", "float32", tmp_path / "none.png")
    with side, pytest.raises(BenchmarkError, match="ended"):
        side.ask("decode", 50)
