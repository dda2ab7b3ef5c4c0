"""The same picture at the same size in bytes by every codec, for the viewer of the report."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image

from benchmarks.compare.codecs import ImageCodec
from benchmarks.compare.metrics import ms_ssim, psnr, ssimulacra2
from benchmarks.compare.nearest import encode_nearest
from benchmarks.compare.rows import append_row, open_rows
from benchmarks.datasets import load_picture
from ddncodec.files import replacing

FOLDER_NAME, CSV_NAME = "views", "views.csv"
TARGETS = (0.1, 0.25)
"""Rates in bits per pixel at which pictures are shown."""
ORIGINAL = "original"


@dataclass(frozen=True)
class ViewRow:
    """One decoded picture, saved without loss in `file`."""

    image: str
    width: int
    height: int
    target: float
    """Bits per pixel aimed at; 0 for the original."""
    codec: str
    codec_version: str
    bytes: int
    """Of the coded file; 0 for the original."""
    psnr: float | None
    ms_ssim: float | None
    ssimulacra2: float | None
    file: str

    @property
    def key(self) -> tuple[str, float, str, str]:
        """Two rows of one key are the same view."""
        return self.image, self.target, self.codec, self.codec_version


def make_views(codecs: Sequence[ImageCodec], paths: Sequence[Path], out: Path, *, quiet: bool) -> None:
    """Add the views that OUT/views lacks; the progress bar is drawn on a terminal only."""
    folder = out / FOLDER_NAME
    folder.mkdir(parents=True, exist_ok=True)
    done = {row.key for row in open_rows(folder / CSV_NAME, ViewRow)}
    wanted = [(path, target, codec) for path in paths for target in TARGETS for codec in codecs]
    missing = [
        (path, target, codec)
        for path, target, codec in wanted
        if (path.name, target, codec.name, codec.version()) not in done
    ]
    for path in paths:
        if (path.name, 0.0, ORIGINAL, "") not in done:
            append_row(folder / CSV_NAME, _original(path, folder))
    with click.progressbar(
        missing, label="views", show_pos=True, file=sys.stderr, hidden=quiet or not sys.stderr.isatty()
    ) as bar:
        for path, target, codec in bar:
            append_row(folder / CSV_NAME, _view(codec, path, target, folder))


def _original(path: Path, folder: Path) -> ViewRow:
    picture = load_picture(path)
    file = _save(picture, folder / f"{path.stem}.webp")
    return ViewRow(path.name, *picture.size, 0.0, ORIGINAL, "", 0, None, None, None, file)


def _view(codec: ImageCodec, path: Path, target: float, folder: Path) -> ViewRow:
    original = load_picture(path)
    data = encode_nearest(codec, original, round(target * original.width * original.height / 8))
    decoded = codec.decode(data)
    return ViewRow(
        image=path.name,
        width=original.width,
        height=original.height,
        target=target,
        codec=codec.name,
        codec_version=codec.version(),
        bytes=len(data),
        psnr=psnr(original, decoded),
        ms_ssim=ms_ssim(original, decoded),
        ssimulacra2=ssimulacra2(original, decoded),
        file=_save(decoded, folder / f"{path.stem}-{target:g}-{codec.name}.webp"),
    )


def _save(picture: Image.Image, path: Path) -> str:
    """Save without loss; browsers show WebP."""
    with replacing(path) as part:
        picture.save(part, "WEBP", lossless=True, method=4)
    return path.name
