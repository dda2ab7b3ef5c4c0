"""Placeholders and hashes are codecs like any other; the table takes the largest size that fits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from small_models import save_one_cell

from benchmarks.__main__ import main
from benchmarks.compare.codecs import ImageCodec
from benchmarks.compare.metrics import psnr
from benchmarks.compare.rows import RdRow, read_rows
from benchmarks.compare.small import CSV_NAME, SIDE, BlurHash, DdncInline, FaceLevels, ThumbHash, measure_small, render
from benchmarks.datasets import picture_paths


@pytest.fixture
def picture() -> Image.Image:
    """A smooth one, as hashes like it."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    return Image.fromarray((255 * np.stack([x, y, 1 - x * y], axis=-1)).astype(np.uint8))


@pytest.mark.parametrize(("codec", "setting", "size"), [(BlurHash(), 4, 36), (ThumbHash(), 0, 30)])
def test_hashes_show_the_picture(codec: ImageCodec, setting: int, size: int, picture: Image.Image) -> None:
    codec.load()
    data = codec.encode(picture, setting)
    shown = codec.decode(data)
    assert len(data) <= size
    assert shown.size == picture.size
    assert psnr(picture, shown) > 20


def test_inline_placeholders_keep_within_the_bytes_of_the_setting(tiny_path: Path, picture: Image.Image) -> None:
    codec = DdncInline(str(tiny_path))
    codec.load()
    sizes = [len(codec.encode(picture, setting)) for setting in (48, 144)]
    assert sizes[0] <= 48 and sizes[0] < sizes[1] <= 144
    assert codec.decode(codec.encode(picture, 144)).size == picture.size


@pytest.mark.parametrize(("setting", "levels"), [(27, 6), (32, 11), (60, 20)])
def test_faces_are_cut_to_the_levels_that_fit(setting: int, levels: int, tmp_path: Path, picture: Image.Image) -> None:
    codec = FaceLevels(str(save_one_cell(tmp_path / "one.safetensors", SIDE, outputs=256, count=20)))
    codec.load()
    data = codec.encode(picture, setting)
    whole = codec.codec.encode(picture, coding="plain", effort=codec.effort)
    assert len(data) == min(setting, len(whole))
    assert len(codec.codec.planes(data)) == levels
    assert codec.decode(data) == codec.codec.decode(whole, levels)


def test_the_table_takes_the_largest_size_that_fits(rows_of: Callable[..., list[RdRow]]) -> None:
    lines = render([*rows_of("ddnc"), *rows_of("webp", rate=4.0)], (48, 256)).splitlines()
    assert lines[2] == "| 48 | 18.00 (26) | N/A |"
    assert lines[3] == "| 256 | 36.00 (205) | 24.00 (205) |"


def test_the_middles_of_pictures_are_measured(pictures: Path, tmp_path: Path) -> None:
    measure_small([ThumbHash()], picture_paths(pictures)[:1], tmp_path, 1, quiet=True)
    (row,) = read_rows(tmp_path / CSV_NAME)
    assert (row.codec, row.width, row.height) == ("thumbhash", SIDE, SIDE)
    assert 20 <= row.bytes <= 30


def test_the_command_prints_what_it_measured(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.compare.small.small_codecs", lambda model, effort, faces: [BlurHash()])
    monkeypatch.setattr(BlurHash, "settings", lambda codec: (2,))
    result = CliRunner().invoke(main, ["small", "--images", str(pictures), "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "| bytes | blurhash |" in result.output
    assert {row.setting for row in read_rows(tmp_path / CSV_NAME)} == {2}
