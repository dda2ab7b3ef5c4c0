"""The frozen tiny model and pictures drawn by code, for every test that needs them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from drawing import draw_folder, draw_picture

if TYPE_CHECKING:
    from ddncodec.codec import Codec

os.environ.setdefault("DDNC_PRECISION", "float32")  # golden pixels are of float32, whatever the processor has
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def tiny_path() -> Path:
    """Weights file of the frozen model "tiny"; see tests/golden."""
    return GOLDEN / "tiny.safetensors"


@pytest.fixture(scope="session")
def tiny_codec(tiny_path: Path) -> Codec:
    from ddncodec.codec import Codec

    return Codec(tiny_path)


@pytest.fixture(scope="session")
def prior_codec() -> Codec:
    """The frozen model of the tests that has an index prior."""
    from ddncodec.codec import Codec

    return Codec(GOLDEN / "foretold.safetensors")


@pytest.fixture(scope="session")
def codec_of(tiny_codec: Codec, prior_codec: Codec) -> Callable[[str], Codec]:
    """The codec that wrote a golden stream, by the stream's name."""
    return lambda name: prior_codec if "foretold" in name else tiny_codec


@pytest.fixture(scope="session")
def drawn_picture() -> Callable[[int, int, int], np.ndarray]:
    """`drawn_picture(height, width, seed)`: (height, width, 3) uint8."""
    return draw_picture


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 8 drawn PNG pictures, 96 x 112 pixels each."""
    return draw_folder(tmp_path_factory.mktemp("drawn") / "pictures", 8)
