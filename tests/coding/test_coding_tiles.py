"""Tiles meet without a seam: cutting changes no index grid and at most one level of a pixel."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_models import save_one_cell

import bitstream
from bitstream import Header
from ddncodec import ArgumentError
from ddncodec.codec import Codec
from ddncodec.coding import tiles
from ddncodec.coding.encoder import encode
from ddncodec.coding.tiling import DEFAULT_TILING, Tiling

SMALL = Tiling(core=64, margin=64)
"""For the tiny model, whose reach is about 50 pixels."""


@pytest.fixture(scope="module")
def cutting_codec(tiny_path: Path) -> Codec:
    return Codec(tiny_path, tiling=SMALL)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (192, 192), (193, 10), (300, 450)])
def test_cores_cover_a_picture_once(height: int, width: int) -> None:
    covered = np.zeros((height, width), int)
    for tile in SMALL.tiles(height, width):
        covered[tile.rows, tile.cols] += 1
        assert tile.outer_rows.start <= tile.rows.start and tile.rows.stop <= tile.outer_rows.stop
        assert tile.outer_rows.stop - tile.outer_rows.start <= SMALL.core + 2 * SMALL.margin
        assert tile.outer_cols.stop - tile.outer_cols.start <= SMALL.core + 2 * SMALL.margin
    assert (covered == 1).all()


@pytest.mark.parametrize("tiling", [Tiling(1, 0), Tiling(65, 30), DEFAULT_TILING])
def test_a_codec_cuts_no_cell(tiny_path: Path, tmp_path: Path, tiling: Tiling) -> None:
    for path in (tiny_path, save_one_cell(tmp_path / "odd.safetensors", 28)):
        codec = Codec(path, tiling=tiling)
        cut = codec.engine.tiling
        assert cut.core >= tiling.core and cut.margin >= tiling.margin
        assert all(side % level.cell == 0 for side in (cut.core, cut.margin) for level in codec.info.layout)


def test_tiles_without_pixels_are_refused() -> None:
    for core, margin in ((0, 64), (64, -1)):
        with pytest.raises(ArgumentError, match="must be at least"):
            Tiling(core, margin)


@pytest.mark.parametrize(("height", "width"), [(230, 300), (40, 411), (205, 31)])
def test_tiled_decoding_equals_whole(
    tiny_codec: Codec, drawn_picture: Callable[[int, int, int], np.ndarray], height: int, width: int
) -> None:
    engine, picture = tiny_codec.engine, drawn_picture(height, width, 50)
    header = Header(tiny_codec.info.identity, width, height, lambda_step=150)
    planes = encode(engine, picture[None], [header])[0].planes
    whole = engine.replay([planes], [header])[0].astype(int)
    assert not SMALL.fits_one(height, width)
    cutting = dataclasses.replace(engine, tiling=SMALL)
    assert np.abs(tiles.replay(cutting, tiles.Choice(planes), header) - whole).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(230, 300), (205, 31)])
def test_tiled_encoding_is_as_good_as_whole(
    tiny_codec: Codec,
    cutting_codec: Codec,
    drawn_picture: Callable[[int, int, int], np.ndarray],
    height: int,
    width: int,
) -> None:
    picture = drawn_picture(height, width, 51)
    whole, cut = (codec.encode(picture, 60, tune="psnr") for codec in (tiny_codec, cutting_codec))
    pairs = list(zip(tiny_codec.planes(whole), tiny_codec.planes(cut), strict=True))
    assert all(a.shape == b.shape for a, b in pairs)
    assert sum(int((a != b).sum()) for a, b in pairs) <= 0.01 * sum(a.size for a, _ in pairs)
    decoded = [codec.decode_array(data).astype(float) for codec, data in ((tiny_codec, whole), (cutting_codec, cut))]
    errors = [np.square(each - picture).mean() for each in decoded]
    assert errors[1] <= 1.01 * errors[0]
    assert abs(len(cut) - len(whole)) <= 0.01 * len(whole) + 4


def test_large_pictures_are_progressive_too(
    cutting_codec: Codec, drawn_picture: Callable[[int, int, int], np.ndarray]
) -> None:
    data = cutting_codec.encode(drawn_picture(40, 300, 52), 60)
    shown = list(cutting_codec.decode_progressive(data))
    assert len(shown) == len(cutting_codec.info.layout)
    np.testing.assert_array_equal(np.asarray(shown[-1]), np.asarray(cutting_codec.decode(data)))
    assert bitstream.read_header(data).width == 300
