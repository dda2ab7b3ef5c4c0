"""Pictures drawn by code, and rows made up by formula, as fixtures."""

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmark_cases import draw_picture, make_rows
from PIL import Image

from benchmarks.compare.rows import RdRow


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


@pytest.fixture
def rows_of() -> Callable[..., list[RdRow]]:
    return make_rows
