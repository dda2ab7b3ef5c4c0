"""Tables and plots follow from the rows and from nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.compare.report import TABLE_BEGIN, TABLE_END, render_table, replace_table, table_rows
from benchmarks.compare.rows import RdRow, read_rows, write_rows
from benchmarks.compare.summary import BppRange, summarize
from benchmarks.errors import BenchmarkError

Rows = Callable[..., list[RdRow]]

EXPECTED = """\
<!-- rd-table:begin -->
Bytes that ddnc needs more (+) or fewer (-) than another codec at equal score; pictures averaged: 1.

| ddnc tuned for | score | JPEG (libjpeg-turbo) | far |
| --- | --- | ---: | ---: |
| the eye (default) | PSNR, BD-rate | -10.0 % | N/A |

ddnc: ddnc 1.0; jpeg: jpeg 1.0; far: far 1.0.
BD-rates are those of the mean curves; bytes at a score are the geometric mean over pictures.
<!-- rd-table:end -->"""


@pytest.fixture
def rows(rows_of: Rows) -> list[RdRow]:
    return rows_of("jpeg") + rows_of("far", rate=10, gain=70) + rows_of("ddnc", rate=0.9)


def test_table_of_known_curves(rows: list[RdRow]) -> None:
    assert render_table(rows) == EXPECTED


def test_table_is_a_function_of_the_csv(rows: list[RdRow], tmp_path: Path) -> None:
    write_rows(tmp_path / "rd.csv", rows)
    assert render_table(read_rows(tmp_path / "rd.csv")) == EXPECTED


def test_table_command_replaces_the_block_and_nothing_else(rows: list[RdRow], tmp_path: Path) -> None:
    csv, readme = tmp_path / "rd.csv", tmp_path / "README.md"
    write_rows(csv, rows)
    readme.write_text(f"# Title\n\n{TABLE_BEGIN}\nold\n{TABLE_END}\n\nAfter.\n")
    for _ in range(2):  # writing it again changes nothing
        result = CliRunner().invoke(main, ["table", str(csv), "--write", str(readme)])
        assert result.exit_code == 0, result.output
        assert readme.read_text() == f"# Title\n\n{EXPECTED}\n\nAfter.\n"
    assert CliRunner().invoke(main, ["table", str(csv)]).output == EXPECTED + "\n"


def test_text_without_markers_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="rd-table:begin"):
        replace_table(f"only {TABLE_BEGIN}", EXPECTED)


def test_rate_range_cuts_the_curves_of_ddnc(rows_of: Rows) -> None:
    rows = [
        *rows_of("ddnc", "a.png"),
        *rows_of("ddnc", "b.png", rate=1.2),  # mean rates 1.1 times 0.05, 0.1, 0.2, 0.4, 0.8
        *rows_of("jpeg", "a.png"),
        *rows_of("jpeg", "b.png"),
    ]
    report = summarize(rows, BppRange(low=0.1, high=0.45))
    assert report.curves["ddnc"].bpp == pytest.approx([0.1, 0.11, 0.22, 0.44, 0.45])
    assert len(report.curves["jpeg"].points) == 5
    assert report.comparisons["jpeg"].of_pictures == pytest.approx({"a.png": 0, "b.png": 20})
    assert "ddnc counts from 0.1 to 0.45 bpp;" in render_table(rows, BppRange(low=0.1, high=0.45))


def test_rate_range_without_settings_is_an_error(rows: list[RdRow]) -> None:
    with pytest.raises(BenchmarkError, match="range of bpp"):
        summarize(rows, BppRange(low=5))


def test_unfinished_pictures_are_left_out_and_counted(rows_of: Rows) -> None:
    rows = rows_of("ddnc", "a.png") + rows_of("ddnc", "b.png") + rows_of("jpeg", "a.png")
    assert "pictures averaged: 1 of 2, the others unfinished." in render_table(rows)
    with pytest.raises(BenchmarkError, match="no picture"):
        summarize(rows_of("ddnc", "b.png") + rows_of("jpeg", "a.png"))


def test_dropped_points_are_noted(rows_of: Rows) -> None:
    rows = rows_of("jpeg", "a.png")
    worse = [*rows[:-1], rows_of("jpeg", "a.png", gain=-20)[-1]]
    assert "jpeg: 1 setting(s) left out" in render_table(worse)


def test_metrics_that_every_row_has_are_compared(rows_of: Rows) -> None:
    def with_similarity(rows: list[RdRow]) -> list[RdRow]:
        return [replace(row, ms_ssim=1 - 10 ** (-row.psnr / 30)) for row in rows]

    jpeg, ddnc = with_similarity(rows_of("jpeg")), with_similarity(rows_of("ddnc", rate=0.8))
    lines = render_table(jpeg + ddnc).splitlines()
    assert "| the eye (default) | MS-SSIM, BD-rate | -20.0 % |" in lines
    assert not any("SSIMULACRA2" in line for line in lines)
    assert not any("MS-SSIM" in line for line in render_table(jpeg + rows_of("ddnc")).splitlines())


def test_each_tuning_is_compared_with_the_others_at_the_scores_it_is_for(rows_of: Rows) -> None:
    rows = rows_of("ddnc", rate=1.2) + rows_of("ddnc-psnr", rate=0.9) + rows_of("jpeg")
    lines = render_table(rows).splitlines()
    assert "| the eye (default) | PSNR, BD-rate | +20.0 % |" in lines
    tuned = [line for line in lines if line.startswith("| PSNR |")]
    assert tuned == [
        "| PSNR | PSNR, BD-rate | -10.0 % |",
        "| PSNR | PSNR 28 | -10.0 % |",
        "| PSNR | PSNR 31 | -10.0 % |",
        "| PSNR | PSNR 34 | -10.0 % |",
    ]
    assert "ddnc: ddnc 1.0; jpeg: jpeg 1.0; ddnc-psnr: ddnc-psnr 1.0." in lines


def test_the_table_has_one_setting_of_each_format(rows_of: Rows) -> None:
    few = rows_of("ddnc") + rows_of("avif") + rows_of("avif-svt")
    assert table_rows(few) == few
    others = ("avif-psnr", "ddnc-psnr", "jpeg", "jpegli", "webp", "webp-sharp")
    many = few + [row for codec in others for row in rows_of(codec)]
    assert {row.codec for row in table_rows(many)} == {"ddnc", "ddnc-psnr", "avif", "avif-psnr", "jpeg", "webp"}


def test_plot_is_a_png(rows: list[RdRow], tmp_path: Path) -> None:
    csv, png = tmp_path / "rd.csv", tmp_path / "rd.png"
    write_rows(csv, rows)
    result = CliRunner().invoke(main, ["plot", str(csv), str(png)])
    assert result.exit_code == 0, result.output
    assert png.read_bytes().startswith(b"\x89PNG")
