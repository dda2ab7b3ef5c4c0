"""Pictures of 28 to 256 bytes: placeholders of ddnc, BlurHash and ThumbHash, and the smallest files of other codecs.

The pictures are the middles of photographs, reduced to SIDE x SIDE pixels. Inline streams and hashes have no signature,
and hashes no size: the decoder gets these from elsewhere. The others are complete files.
"""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final

import click
import numpy as np
from PIL import Image, ImageOps

from benchmarks.arguments import effort_option, images_option, model_option, out_option, quiet_option, workers_option
from benchmarks.compare.codecs import Ddnc, DdncPsnr, ImageCodec, require_module
from benchmarks.compare.curves import mean_points
from benchmarks.compare.measure import available
from benchmarks.compare.rd import measure_folder
from benchmarks.compare.rivals import Avif, Jpeg, WebP
from benchmarks.compare.rows import RdRow, read_rows
from benchmarks.datasets import load_picture, picture_paths
from ddncodec.coding.effort import DEFAULT_EFFORT

SIDE: Final = 64
CSV_NAME: Final = "rd.csv"


@dataclass(frozen=True)
class DdncInline(Ddnc):
    """The placeholder of `ddncodec.placeholder`; the setting is its greatest size in bytes."""

    name: ClassVar[str] = "ddnc-inline"
    title: ClassVar[str] = "ddnc, inline"
    effort: int = DEFAULT_EFFORT

    def settings(self) -> tuple[int, ...]:
        return (28, 48, 96, 144, 256)

    def command(self, setting: int) -> str:
        return f"ddncodec.placeholder.make_placeholder(codec, image, {setting}).data"

    def encode(self, image: Image.Image, setting: int) -> bytes:
        from ddncodec.placeholder import make_placeholder

        return make_placeholder(self.codec, image, setting).data

    def decode(self, data: bytes) -> Image.Image:
        from ddncodec.placeholder import decode_inline

        shown = decode_inline(self.codec, data).convert("RGB")
        return shown.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


@dataclass(frozen=True)
class FaceLevels(Ddnc):
    """A model of one cell, plain: as many of its levels as fit in the setting's bytes, header included."""

    name: ClassVar[str] = "face64"
    title: ClassVar[str] = "ddnc, model face64"
    model: str = "face64"

    def settings(self) -> tuple[int, ...]:
        return (48, 96, 144, 256)

    def command(self, setting: int) -> str:
        name = self.codec.info.name
        return f"ddncodec.encode(image, coding='plain', model={name!r}, effort={self.effort}), cut to {setting} bytes"

    def encode(self, image: Image.Image, setting: int) -> bytes:
        import bitstream

        data = self.codec.encode(image, coding="plain", effort=self.effort)
        planes, layout = self.codec.planes(data), self.codec.info.layout
        header = replace(bitstream.read_header(data), compact=False)
        for levels in range(len(layout), 0, -1):
            if len(data) <= setting:
                break
            passes = bitstream.encode_planes(planes[:levels], layout, header, passes=[levels])
            data = bitstream.write_stream(header, passes)
        return data


@dataclass(frozen=True)
class BlurHash:
    """BlurHash of n x n components, n being the setting."""

    name: ClassVar[str] = "blurhash"
    title: ClassVar[str] = "BlurHash"

    def load(self) -> None:
        require_module("blurhash", "blurhash")

    def version(self) -> str:
        return f"blurhash {importlib.metadata.version('blurhash')}"

    def settings(self) -> tuple[int, ...]:
        return (2, 3, 4, 5, 6, 7, 8, 9)

    def command(self, setting: int) -> str:
        return f"blurhash.encode(array, {setting}, {setting})"

    def weights(self) -> int:
        return 0

    def encode(self, image: Image.Image, setting: int) -> bytes:
        import blurhash  # type: ignore[import-untyped]

        return str(blurhash.encode(np.asarray(image), setting, setting)).encode()

    def decode(self, data: bytes) -> Image.Image:
        import blurhash

        shown = np.asarray(blurhash.decode(data.decode(), SIDE, SIDE), float)
        return Image.fromarray(shown.clip(0, 255).astype(np.uint8))


@dataclass(frozen=True)
class ThumbHash:
    """ThumbHash, which has one size."""

    name: ClassVar[str] = "thumbhash"
    title: ClassVar[str] = "ThumbHash"

    def load(self) -> None:
        require_module("thash", "thash")

    def version(self) -> str:
        return f"thash {importlib.metadata.version('thash')}"

    def settings(self) -> tuple[int, ...]:
        return (0,)

    def command(self, setting: int) -> str:
        return "thash.rgba_to_thumb_hash(width, height, samples)"

    def weights(self) -> int:
        return 0

    def encode(self, image: Image.Image, setting: int) -> bytes:
        import thash

        return bytes(thash.rgba_to_thumb_hash(*image.size, list(image.convert("RGBA").tobytes())))

    def decode(self, data: bytes) -> Image.Image:
        import thash

        width, height, samples = thash.thumb_hash_to_rgba(data)
        shown = Image.frombytes("RGBA", (width, height), bytes(samples)).convert("RGB")
        return shown.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def small_codecs(model: str, effort: int, *, faces: bool = False) -> list[ImageCodec]:
    """The codecs to compare at this size that can run here; `faces` adds those for aligned faces."""
    ours = [DdncInline(model), DdncPsnr(model, effort), *([FaceLevels(effort=effort)] if faces else [])]
    return available([*ours, BlurHash(), ThumbHash(), WebP(), Avif(), Jpeg()])


def measure_small(
    codecs: list[ImageCodec], paths: Sequence[Path], out: Path, workers: int, *, quiet: bool = False
) -> None:
    """Append the rows that OUT/rd.csv lacks, made from the middles of pictures."""
    with TemporaryDirectory(prefix="small-") as folder:
        for path in paths:
            thumbnail = ImageOps.fit(load_picture(path), (SIDE, SIDE), Image.Resampling.LANCZOS)
            thumbnail.save(Path(folder, f"{path.stem}.png"))
        measure_folder(codecs, picture_paths(Path(folder)), out, workers, quiet=quiet)


def render(rows: Sequence[RdRow], sizes: Sequence[int]) -> str:
    """A Markdown table: the mean PSNR of each codec at its largest mean size up to each of `sizes` bytes."""
    codecs = list(dict.fromkeys(row.codec for row in rows))
    lines = [f"| bytes | {' | '.join(codecs)} |", "| ---: |" + " ---: |" * len(codecs)]
    for size in sizes:
        cells = []
        for codec in codecs:
            points = mean_points([row for row in rows if row.codec == codec]).values()
            fit = [point for point in points if point.bpp * SIDE**2 / 8 <= size]
            best = max(fit, key=lambda point: point.bpp, default=None)
            cells.append(f"{best.quality:.2f} ({best.bpp * SIDE**2 / 8:.0f})" if best else "N/A")
        lines.append(f"| {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


@click.command()
@images_option
@model_option
@effort_option(Ddnc.effort)
@out_option(f"Folder for {CSV_NAME}; the report in its parent folder shows them.")
@click.option("--faces", is_flag=True, help="The pictures are aligned faces, which model face64 can code too.")
@workers_option
@quiet_option
def small(images: Path, model: str, effort: int, out: Path, faces: bool, workers: int, quiet: bool) -> None:
    """Compare codecs on pictures of 64 x 64 pixels at 28 to 256 bytes."""
    measure_small(small_codecs(model, effort, faces=faces), picture_paths(images), out, workers, quiet=quiet)
    if not quiet:
        click.echo(render(read_rows(out / CSV_NAME), (28, 48, 96, 144, 256)))
