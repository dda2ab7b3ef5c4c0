"""One command for a folder makes the files of many single commands, and both are timed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.compare.batch import Run, measured
from benchmarks.errors import BenchmarkError

TINY = Path(__file__).parents[1] / "golden" / "tiny.safetensors"


def test_both_ways_are_timed_and_compared(pictures: Path) -> None:
    words = ["batch", "--images", str(pictures), "--model", str(TINY), "--singles", "1"]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0
    assert "2 pictures, 1 thread(s), 1 process(es)" in result.output
    assert len(re.findall(r"[1-9]\d* MiB at most", result.output)) == 2
    singly, together = (float(found) for found in re.findall(r"([\d.]+) s a picture", result.output))
    ratio = re.search(r"ratio +([\d.]+) +([\d.]+);", result.output)
    assert ratio is not None
    assert float(ratio[2]) == pytest.approx(singly / together, rel=0.05)
    assert float(ratio[2]) > 1, "a batch starts and loads the model once"
    assert "1 of 1 files equal" in result.output


def test_memory_that_grows_is_seen() -> None:
    assert Run(1, 1, (10.0,) * 100).growth == 1
    assert Run(1, 1, (*(10.0,) * 50, *(30.0,) * 50)).growth == 3


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(BenchmarkError, match="no such thing"):
        measured([[sys.executable, "-c", "raise SystemExit('no such thing')"]])
