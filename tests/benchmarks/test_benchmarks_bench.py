"""`bench`: a quick report, then the full one; codecs that fail are left out; a baseline shows losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.compare.baseline import compare, losses, render
from benchmarks.compare.codecs import Ddnc, ImageCodec
from benchmarks.compare.page import PAGE_NAME, render_page
from benchmarks.compare.quick import FewSettings
from benchmarks.compare.rd import measure_folder
from benchmarks.compare.rivals import Jpeg, WebP
from benchmarks.compare.rows import RdRow, read_rows, write_rows
from benchmarks.datasets import picture_paths
from benchmarks.errors import BenchmarkError

Rows = Callable[..., list[RdRow]]


def run_bench(*words: object) -> Result:
    return CliRunner().invoke(main, ["bench", *map(str, words)])


def test_a_quick_report_says_that_it_is_one_and_what_it_found(pictures: Path, tiny_path: Path, tmp_path: Path) -> None:
    words = ("--images", pictures, "--codecs", "ddnc,jpeg", "--model", tiny_path, "--out", tmp_path / "r", "--quick")
    result = run_bench(*words)
    assert result.exit_code == 0, result.output
    (line,) = result.output.splitlines()
    assert "a quick report" in line
    assert "This is a quick report" in (tmp_path / "r" / PAGE_NAME).read_text()
    rows = read_rows(tmp_path / "r" / "quick" / "rd.csv")
    assert {row.codec for row in rows} == {"ddnc", "jpeg"}
    assert not (tmp_path / "r" / "rd.csv").exists()


def test_the_full_report_takes_its_place(pictures: Path, tmp_path: Path) -> None:
    words = ("--images", pictures, "--codecs", "jpeg", "--out", tmp_path / "r", "--no-small", "--views", 0)
    result = run_bench(*words)
    assert result.exit_code == 0, result.output
    assert ["quick report" in line for line in result.output.splitlines()] == [True, False]
    assert "quick report" not in (tmp_path / "r" / PAGE_NAME).read_text()
    assert len(read_rows(tmp_path / "r" / "rd.csv")) == 2 * len(Jpeg().settings())
    assert len(run_bench(*words).output.splitlines()) == 1, "a run that is continued needs no quick report"


def test_few_settings_are_of_the_codec_and_reach_its_last() -> None:
    codec: ImageCodec = FewSettings(Jpeg())
    assert set(codec.settings()) < set(Jpeg().settings())
    assert codec.settings()[-1] == Jpeg().settings()[-1]
    assert (codec.name, codec.command(50)) == (Jpeg().name, Jpeg().command(50))


@dataclass(frozen=True)
class Failing(WebP):
    """Encodes at its first setting only."""

    name: ClassVar[str] = "failing"
    title: ClassVar[str] = "Failing"

    def encode(self, image: Image.Image, setting: int) -> bytes:
        if setting > self.settings()[0]:
            raise RuntimeError("no memory for <that>")
        return super().encode(image, setting)


def test_a_codec_that_fails_is_left_out_with_a_note(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measure_folder([Failing(), Jpeg()], picture_paths(pictures), tmp_path, workers=1, quiet=True)
    assert {row.codec for row in read_rows(tmp_path / "rd.csv")} == {"jpeg"}
    note = "Failing is left out, as it failed: no memory for <that>"
    assert capsys.readouterr().err.splitlines() == [note]
    assert note.replace("<that>", "&lt;that&gt;") in render_page(tmp_path)
    with pytest.raises(BenchmarkError, match="no codec could be measured"):
        measure_folder([Failing()], picture_paths(pictures), tmp_path / "none", workers=1, quiet=True)


@dataclass(frozen=True)
class FailingDdnc(Ddnc):
    def encode(self, image: Image.Image, setting: int) -> bytes:
        raise RuntimeError("no memory")


def test_ddnc_that_fails_ends_the_run(pictures: Path, tiny_path: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="ddnc failed: no memory"):
        measure_folder([FailingDdnc(str(tiny_path))], picture_paths(pictures), tmp_path, workers=1, quiet=True)


def test_a_baseline_tells_rates_and_times_apart(rows_of: Rows) -> None:
    before = [replace(row, encode_cpu=1.0, decode_cpu=2.0) for row in rows_of("ddnc")]
    after = [replace(row, encode_cpu=3.0, decode_cpu=2.0) for row in rows_of("ddnc", rate=1.1)]
    change = compare(before, after)
    assert change.rates == {"psnr": pytest.approx(10)}
    assert change.times == {"encode": pytest.approx(3), "decode": pytest.approx(1)}
    assert "bytes at equal PSNR: +10.00 %" in render(change)
    assert len(losses(change, max_loss=1, max_slowdown=1.5)) == 2
    assert losses(change, max_loss=11, max_slowdown=4) == []
    elsewhere = [replace(row, machine="another") for row in after]
    assert compare(before, elsewhere).times == {}


def test_a_baseline_of_other_pictures_is_refused(rows_of: Rows) -> None:
    with pytest.raises(BenchmarkError, match="no rows of ddnc on the pictures"):
        compare(rows_of("ddnc", "a.png"), rows_of("ddnc", "b.png"))


def test_the_command_fails_where_the_baseline_was_better(pictures: Path, tiny_path: Path, tmp_path: Path) -> None:
    words = ("--images", pictures, "--codecs", "ddnc", "--model", tiny_path, "--effort", 1, "--quick", "--quiet")
    assert run_bench(*words, "--out", tmp_path / "old").exit_code == 0
    old = read_rows(tmp_path / "old" / "quick" / "rd.csv")
    same, better = tmp_path / "same.csv", tmp_path / "better.csv"
    write_rows(same, [replace(row, machine="another") for row in old])
    write_rows(better, [replace(row, machine="another", bpp=row.bpp / 1.1) for row in old])
    for baseline, status in ((same, 0), (better, 1)):
        result = run_bench(*words, "--out", tmp_path / "old", "--baseline", baseline)
        assert result.exit_code == status, result.output
        assert "bytes at equal PSNR" in result.output
