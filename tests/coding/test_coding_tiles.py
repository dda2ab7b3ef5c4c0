"""Tiles meet without a seam: cutting changes no index grid and at most one level of a pixel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import bitstream
from bitstream import Header
from ddncodec.codec import Codec
from ddncodec.coding import tiles
from ddncodec.coding.encoder import encode

CORE, MARGIN = 64, 64
"""For the tiny model, whose reach is about 50 pixels."""


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "CORE", CORE)
    monkeypatch.setattr(tiles, "MARGIN", MARGIN)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (192, 192), (193, 10), (300, 450)])
def test_cores_cover_a_picture_once(small_tiles: None, height: int, width: int) -> None:
    covered = np.zeros((height, width), int)
    for tile in tiles.tiles(height, width):
        covered[tile.rows, tile.cols] += 1
        assert tile.outer_rows.start <= tile.rows.start and tile.rows.stop <= tile.outer_rows.stop
        assert tile.outer_rows.stop - tile.outer_rows.start <= CORE + 2 * MARGIN
        assert tile.outer_cols.stop - tile.outer_cols.start <= CORE + 2 * MARGIN
    assert (covered == 1).all()


def test_whole_cells_only_are_cut() -> None:
    assert tiles.CORE % 64 == 0 and tiles.MARGIN % 64 == 0


@pytest.mark.parametrize(("height", "width"), [(230, 300), (40, 411), (205, 31)])
def test_tiled_decoding_equals_whole(
    tiny_codec: Codec, monkeypatch: pytest.MonkeyPatch, drawn_picture: Callable[[int, int, int], np.ndarray],
    height: int, width: int,
) -> None:  # fmt: skip
    engine, picture = tiny_codec.engine, drawn_picture(height, width, 50)
    header = Header(tiny_codec.info.identity, width, height, lambda_step=150)
    planes = encode(engine, picture[None], [header])[0].planes
    whole = engine.replay([planes], [header])[0].astype(int)
    monkeypatch.setattr(tiles, "CORE", CORE)
    monkeypatch.setattr(tiles, "MARGIN", MARGIN)
    assert not tiles.fits_one(height, width)
    assert np.abs(tiles.replay(engine, tiles.Choice(planes), header) - whole).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(230, 300), (205, 31)])
def test_tiled_encoding_is_as_good_as_whole(
    tiny_codec: Codec, monkeypatch: pytest.MonkeyPatch, drawn_picture: Callable[[int, int, int], np.ndarray],
    height: int, width: int,
) -> None:  # fmt: skip
    picture = drawn_picture(height, width, 51)
    whole = tiny_codec.encode(picture, 60)
    monkeypatch.setattr(tiles, "CORE", CORE)
    monkeypatch.setattr(tiles, "MARGIN", MARGIN)
    cut = tiny_codec.encode(picture, 60)
    pairs = list(zip(tiny_codec.planes(whole), tiny_codec.planes(cut), strict=True))
    assert all(a.shape == b.shape for a, b in pairs)
    assert sum(int((a != b).sum()) for a, b in pairs) <= 0.01 * sum(a.size for a, _ in pairs)
    errors = [np.mean((np.asarray(tiny_codec.decode(data), float) - picture) ** 2) for data in (whole, cut)]
    assert errors[1] <= 1.01 * errors[0]
    assert abs(len(cut) - len(whole)) <= 0.01 * len(whole) + 4


def test_large_pictures_are_progressive_too(
    tiny_codec: Codec, small_tiles: None, drawn_picture: Callable[[int, int, int], np.ndarray]
) -> None:
    data = tiny_codec.encode(drawn_picture(40, 300, 52), 60)
    shown = list(tiny_codec.decode_progressive(data))
    assert len(shown) == len(tiny_codec.info.layout)
    np.testing.assert_array_equal(np.asarray(shown[-1]), np.asarray(tiny_codec.decode(data)))
    assert bitstream.read_header(data).width == 300
