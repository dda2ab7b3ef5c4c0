"""One command for a folder makes the files of many single commands, and both are timed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.compare.batch import Run, measured, summary
from benchmarks.errors import BenchmarkError


def test_both_ways_are_timed_and_compared(pictures: Path, tiny_path: Path) -> None:
    words = ["batch", "--images", str(pictures), "--model", str(tiny_path), "--singles", "1"]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0
    assert "2 pictures, 1 thread(s), 1 process(es)" in result.output
    assert len(re.findall(r"[1-9]\d* MiB at most", result.output)) == 2
    assert "1 of 1 files equal" in result.output


def test_ratios_are_of_the_time_of_one_picture() -> None:
    loop, once = Run(40, 60, memory=(250.0, 300.0)), Run(20, 30, memory=(400.0,) * 8)
    single, batch, ratio = summary(loop, 5, once, 10)
    assert "12.00 s a picture, 300 MiB at most" in single
    assert "3.00 s a picture, 400 MiB at most" in batch
    assert ratio.split() == ["ratio", "4.00", "4.00;", "memory", "of", "the", "batch", "grows", "by", "1.000"]


def test_memory_that_grows_is_seen() -> None:
    assert Run(1, 1, memory=(10.0,) * 100).growth == 1
    assert Run(1, 1, memory=(*(10.0,) * 50, *(30.0,) * 50)).growth == 3


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(BenchmarkError, match="no such thing"):
        measured([[sys.executable, "-c", "raise SystemExit('no such thing')"]])
