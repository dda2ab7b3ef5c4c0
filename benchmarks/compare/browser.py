"""A real browser, headless, for tests of the page and for a picture of it: Debian's chromium, driven by selenium."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FLAGS = (
    "--headless",
    "--no-sandbox",  # needed as root; the page is our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@contextmanager
def browser(width: int = 1280, height: int = 900) -> Iterator[Chrome]:
    """A browser with an empty profile and a log of its requests and its console.

    Raises:
        BenchmarkError: chromium, its driver or selenium is missing.
    """
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    try:
        from selenium import webdriver
    except ImportError as error:
        raise BenchmarkError(f"{error}; install selenium") from error
    if not all(programs):
        raise BenchmarkError("no chromium here; install the packages chromium and chromium-driver")
    with tempfile.TemporaryDirectory(prefix="benchmarks-browser-", ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = programs[0]
        for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options, webdriver.ChromeService(programs[1]))
        try:
            resize(driver, width, height)
            yield driver
        finally:
            driver.quit()


def resize(driver: Chrome, width: int, height: int) -> None:
    """Make the page see a window of this size, also narrower than the least window of a desktop."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@click.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("png", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--width", default=1100, show_default=True)
@click.option("--height", default=1500, show_default=True)
def screenshot(page: Path, png: Path, width: int, height: int) -> None:
    """Save a screenshot of the top of PAGE, without its tables of pictures and BD-rates, to PNG."""
    with browser(width, height) as driver:
        driver.get(page.resolve().as_uri())
        driver.execute_script("for (const id of ['bd', 'pictures']) document.getElementById(id)?.remove()")
        driver.save_screenshot(str(png))
