"""Every pass and every level is measured, and the picture improves along them."""

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.compare.progressive import CSV_NAME
from benchmarks.compare.strips import CAPTION

LEVELS = 4


def test_levels_and_passes_are_measured(pictures: Path, tiny_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["progressive", "--images", pictures, "--model", tiny_path, "--quality", "90", "--out", out]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    with (out / CSV_NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name in ("drawn1.png", "drawn2.png"):
        levels = [row for row in rows if row["image"] == name and row["unit"] == "level"]
        assert [int(row["number"]) for row in levels] == list(range(1, LEVELS + 1))
        assert float(levels[-1]["psnr"]) > float(levels[0]["psnr"])
        assert all(int(a["bytes"]) <= int(b["bytes"]) for a, b in zip(levels, levels[1:]))
        last = [row for row in rows if row["image"] == name and row["unit"] == "pass"][-1]
        assert (last["levels"], last["bytes"], last["psnr"]) == (str(LEVELS), levels[-1]["bytes"], levels[-1]["psnr"])
        original = Image.open(pictures / name)
        strip = Image.open(out / f"{Path(name).stem}-levels.png")
        assert strip.height == original.height + CAPTION
        assert strip.width % original.width == 0
        right = strip.crop((strip.width - original.width, 0, strip.width, original.height))
        np.testing.assert_array_equal(np.asarray(right), np.asarray(original.convert("RGB")))
    lines = result.output.splitlines()
    mean = np.mean([float(row["psnr"]) for row in rows if row["unit"] == "level" and row["number"] == "1"])
    assert lines[1].split()[:3] == ["1", "2", "1.0"]
    assert float(lines[1].split()[-1]) == pytest.approx(mean, abs=0.006)


def test_an_unknown_model_is_reported_in_one_line(pictures: Path, tmp_path: Path) -> None:
    arguments = ["progressive", "--images", str(pictures), "--model", "absent", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    assert "absent" in result.output and len(result.output.splitlines()) == 1
