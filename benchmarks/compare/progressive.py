"""How a picture improves along its stream: rate and PSNR after every pass and every level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import click
from PIL import Image

from benchmarks.arguments import images_option, library_errors, model_option, out_option
from benchmarks.compare.metrics import bits_per_pixel, psnr
from benchmarks.compare.rows import write_rows
from benchmarks.compare.strips import strip
from benchmarks.datasets import load_picture, picture_paths

if TYPE_CHECKING:
    from ddncodec import Codec

CSV_NAME = "progressive.csv"


@dataclass(frozen=True)
class ProgressiveRow:
    """One prefix of one stream, decoded."""

    image: str
    width: int
    height: int
    model: str
    quality: float
    unit: str
    """"pass": a prefix of whole passes; "level": the picture after a level, which its pass brings."""
    number: int
    """Of the pass or level, from 1."""
    levels: int
    bytes: int
    """Of the stream up to the end of the pass, header included."""
    bpp: float
    psnr: float


def in_passes(codec: Codec, data: bytes, count: int) -> bytes:
    """The same indices as a stream of `count` passes of about as many levels each, without its post-filter."""
    import bitstream

    planes, header = codec.planes(data), replace(bitstream.read_header(data), compact=False)
    ends = sorted({max(1, round(len(planes) * number / count)) for number in range(1, count + 1)})
    lengths = [end - start for start, end in zip([0, *ends], ends)]
    layout = codec.info.layout[: len(planes)]
    passes = bitstream.encode_planes(planes, layout, header, codec.engine.model.probabilities, passes=lengths)
    return bitstream.write_stream(header, passes)


def measure_prefixes(
    codec: Codec, name: str, original: Image.Image, quality: float, passes: int | None = None
) -> tuple[list[ProgressiveRow], list[Image.Image]]:
    """Encode once, in `passes` passes if given; rows of every level and pass, and the pictures after every level."""
    import bitstream

    data = codec.encode(original, quality, tune="psnr")
    if passes is not None:
        data = in_passes(codec, data, passes)
    shown = [picture.convert("RGB") for picture in codec.decode_progressive(data)]
    rows, done = [], 0
    for number, part in enumerate(bitstream.describe(data).passes, start=1):
        units = [("level", level, level) for level in range(done + 1, done + part.levels + 1)]
        done += part.levels
        rows += [
            ProgressiveRow(
                image=name,
                width=original.width,
                height=original.height,
                model=codec.info.name,
                quality=quality,
                unit=unit,
                number=count,
                levels=levels,
                bytes=part.end,
                bpp=bits_per_pixel(part.end, *original.size),
                psnr=psnr(original, shown[levels - 1]),
            )
            for unit, count, levels in (*units, ("pass", number, done))
        ]
    return rows, shown


def render_means(rows: Sequence[ProgressiveRow], unit: str) -> str:
    """A table of means over pictures, one line for every level or pass that any picture has."""
    lines = [f"{unit:>5} pictures levels    bytes     bpp    PSNR"]
    for number in sorted({row.number for row in rows if row.unit == unit}):
        group = [row for row in rows if row.unit == unit and row.number == number]
        means = [fmean(getattr(row, name) for row in group) for name in ("levels", "bytes", "bpp", "psnr")]
        lines.append("{:>5} {:>8} {:6.1f} {:8.0f} {:7.4f} {:7.2f}".format(number, len(group), *means))
    return "\n".join(lines)


def draw_strip(original: Image.Image, shown: Sequence[Image.Image], rows: Sequence[ProgressiveRow]) -> Image.Image:
    """A few levels side by side, ending with the original, each with its rate and PSNR."""
    by_level = {row.number: row for row in rows if row.unit == "level"}
    count = len(shown)
    chosen = sorted({max(1, round(count * share)) for share in (0, 0.25, 0.5, 0.75, 1)})
    texts = [f"level {n} of {count}: {by_level[n].bpp:.3f} bpp, {by_level[n].psnr:.2f} dB" for n in chosen]
    panels = [*(shown[n - 1] for n in chosen), original]
    return strip(list(zip([*texts, "original"], panels, strict=True)))


@click.command()
@images_option
@model_option
@click.option("--quality", default=60.0, show_default=True, type=click.FloatRange(0, 100), help="Of the streams.")
@out_option(f"Folder for {CSV_NAME} and a strip of levels of each picture, NAME-levels.png.")
def progressive(images: Path, model: str, quality: float, out: Path) -> None:
    """Measure what each pass and each level adds to a picture."""
    from ddncodec import Codec

    with library_errors():
        codec = Codec(model)
    out.mkdir(parents=True, exist_ok=True)
    rows: list[ProgressiveRow] = []
    for path in picture_paths(images):
        original = load_picture(path)
        found, shown = measure_prefixes(codec, path.name, original, quality)
        draw_strip(original, shown, found).save(out / f"{path.stem}-levels.png")
        rows += found
    write_rows(out / CSV_NAME, rows, ProgressiveRow)
    for unit in ("level", "pass"):
        click.echo(render_means(rows, unit))
