"""Pictures drawn by code, and rows made up by formula, as fixtures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from benchmark_cases import draw_picture, make_rows
from page_cases import fill_folder
from PIL import Image

from benchmarks.compare.browser import browser, resize
from benchmarks.compare.page import PAGE_NAME
from benchmarks.compare.rows import RdRow
from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture
def picture() -> Image.Image:
    return draw_picture(0)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of two pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in (1, 2):
        draw_picture(seed).save(folder / f"drawn{seed}.png")
    return folder


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory, tiny_path: Path) -> Path:
    """A folder with a page that has every section."""
    return fill_folder(tmp_path_factory.mktemp("report"), tiny_path)


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    """A headless browser; tests that need it are skipped where there is none, except in CI."""
    try:
        with browser() as driver:
            yield driver
    except BenchmarkError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(error.message)


@pytest.fixture
def open_page(chrome: Chrome, page_folder: Path) -> Iterator[Chrome]:
    """The page, freshly loaded in a window of a desktop's size; afterwards nothing may have gone wrong in it."""
    resize(chrome, 1280, 900)
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    chrome.get("about:blank")  # the page is loaded again even where only its fragment differs
    chrome.get((page_folder / PAGE_NAME).as_uri())
    yield chrome
    assert chrome.get_log("browser") == []


@pytest.fixture
def rows_of() -> Callable[..., list[RdRow]]:
    return make_rows
