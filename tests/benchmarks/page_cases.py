"""A folder with all that a page can show, and what the page is asked in a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark_cases import draw_picture, make_rows

from benchmarks.compare.codecs import Ddnc
from benchmarks.compare.page import pass_file, write_page
from benchmarks.compare.progressive import ProgressiveRow
from benchmarks.compare.rivals import Avif, Jpeg, WebP
from benchmarks.compare.rows import RdRow, read_rows, write_rows
from benchmarks.compare.views import CSV_NAME, FOLDER_NAME, ViewRow, make_views

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


def kodak_rows(codec: str, rate: float) -> list[RdRow]:
    """Rows of two pictures that are called like Kodak's, which brings the published figures."""
    return [
        replace(row, ms_ssim=1 - 10 ** (-row.psnr / 30))
        for image in ("kodim01.png", "kodim02.png")
        for row in make_rows(codec, image, rate)
    ]


class TunedForPsnr(Ddnc):
    """ddnc by its usual name; tuned for PSNR, the drawn pictures have the size aimed at in two views only."""

    tune = "psnr"


def fill_folder(out: Path, model: Path) -> Path:
    """Rows, views, passes and small pictures, drawn or made up, and their page; two views have the size aimed at."""
    rates = {"jpeg": 1.0, "webp": 0.8, "avif": 0.45, "ddnc": 0.5}
    rows = [row for codec, rate in rates.items() for row in kodak_rows(codec, rate)]
    write_rows(out / "rd.csv", [*rows, *(replace(row, machine="another") for row in kodak_rows("jxl", 0.7))])
    pictures = out / "pictures"
    pictures.mkdir()
    for seed in (1, 2):
        draw_picture(seed).resize((384, 256)).save(pictures / f"drawn{seed}.png")
    codecs = [Jpeg(), WebP(), Avif(), TunedForPsnr(str(model), effort=1)]
    make_views(codecs, sorted(pictures.iterdir()), out, quiet=True)
    path = out / FOLDER_NAME / CSV_NAME
    met = [
        replace(row, bytes=round(0.25 * row.width * row.height / 8))
        if (row.target, row.codec) in ((0.25, "ddnc"), (0.25, "avif"))
        else row
        for row in read_rows(path, ViewRow)
    ]
    write_rows(path, met, ViewRow)
    (out / "progressive").mkdir()
    first = ProgressiveRow("drawn1.png", 384, 256, "tiny", 60, "pass", 1, 1, 1234, 0.01, 20.0)
    passes = [replace(first, number=number, bytes=1234 * number) for number in (1, 2)]
    write_rows(out / "progressive" / "progressive.csv", passes, ProgressiveRow)
    for row in passes:
        draw_picture(row.number).save(out / "progressive" / pass_file(row.number))
    (out / "small").mkdir()
    write_rows(out / "small" / "rd.csv", make_rows("ddnc", "face.png", 0.1))
    write_page(out)
    return out


def value(chrome: Chrome, script: str) -> Any:
    return chrome.execute_script(f"return {script}")


def choose(chrome: Chrome, select: str, option: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select

    Select(chrome.find_element(By.CSS_SELECTOR, select)).select_by_visible_text(option)
