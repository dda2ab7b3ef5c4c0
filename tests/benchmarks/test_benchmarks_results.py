"""What is committed of the benchmarks follows from the committed rows."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.compare.batches import INDEX_NAME, write_batches
from benchmarks.compare.page import render_page
from benchmarks.compare.report import draw_plot, render_table, table_rows, tuned_reports
from benchmarks.compare.rows import RdRow, read_rows
from benchmarks.compare.summary import BppRange, summarize

REPOSITORY = Path(__file__).parents[2]
RESULTS = REPOSITORY / "benchmarks" / "results"


@pytest.fixture(scope="module")
def rows() -> list[RdRow]:
    return read_rows(RESULTS / "rd.csv")


def test_readme_shows_the_table_of_the_rows(rows: list[RdRow]) -> None:
    table = render_table(table_rows(rows))
    assert table in (REPOSITORY / "README.md").read_text("utf-8")
    assert table in (REPOSITORY / "ddncodec" / "weights" / "photo.md").read_text("utf-8")
    assert (RESULTS / "rd.md").read_text("utf-8") == table + "\n"


def test_readme_claims_what_the_rows_say_of_low_rates(rows: list[RdRow]) -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8").replace("\n", " ")
    ((low, high),) = re.findall(r"--bpp-min (\S+) --bpp-max ([\d.]+)", text)
    compared = tuned_reports(table_rows(rows), BppRange(float(low), float(high)))["ddnc-psnr"].comparisons
    claims = re.findall(r"([+-][\d.]+) % against (AVIF|WebP|JPEG)", text)
    assert len(claims) == 3
    for percent, name in claims:
        rate = compared[name.lower()].of_means
        assert rate and f"{rate.percent:+.1f}" == percent, name


def test_page_is_that_of_the_rows() -> None:
    assert (RESULTS / "report.html").read_text("utf-8") == render_page(RESULTS)


def test_batches_are_those_of_the_rows(rows: list[RdRow], tmp_path: Path) -> None:
    write_batches(tmp_path, rows)
    names = [INDEX_NAME, *(name for (name,) in json.loads((tmp_path / INDEX_NAME).read_text()))]
    assert sorted(path.name for path in (RESULTS / "batches").iterdir()) == sorted(names)
    for name in names:
        assert (RESULTS / "batches" / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_plot_is_that_of_the_rows(rows: list[RdRow], tmp_path: Path) -> None:
    draw_plot(summarize(table_rows(rows))).savefig(tmp_path / "rd.png", dpi=150)
    committed, drawn = (np.asarray(Image.open(folder / "rd.png").convert("L"), float) for folder in (RESULTS, tmp_path))
    assert committed.shape == drawn.shape
    assert np.abs(committed - drawn).mean() < 0.5  # another matplotlib sets its text a little otherwise
