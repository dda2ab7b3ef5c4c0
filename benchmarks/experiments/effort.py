"""What each effort of the encoder saves, and what it costs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Final

import click
from PIL import Image

from benchmarks.arguments import images_option, library_errors, model_option, out_option
from benchmarks.compare.curves import Curve, Point, bd_rate, monotone_curve
from benchmarks.compare.metrics import bits_per_pixel, psnr
from benchmarks.compare.rows import write_rows
from benchmarks.datasets import load_picture, picture_paths

if TYPE_CHECKING:
    from ddncodec import Codec

CSV_NAME: Final = "effort.csv"


@dataclass(frozen=True)
class EffortRow:
    """One picture at one quality and effort; `seconds` is the processor time of encoding."""

    image: str
    width: int
    height: int
    model: str
    quality: float
    effort: int
    bytes: int
    bpp: float
    psnr: float
    seconds: float


def measure(codec: Codec, image: str, original: Image.Image, quality: float, effort: int) -> EffortRow:
    """Encode and decode one picture."""
    start = time.process_time()
    data = codec.encode(original, quality, effort=effort, tune="psnr")
    seconds = time.process_time() - start
    return EffortRow(
        image,
        *original.size,
        model=codec.info.name,
        quality=quality,
        effort=effort,
        bytes=len(data),
        bpp=bits_per_pixel(len(data), *original.size),
        psnr=psnr(original, codec.decode(data).convert("RGB")),
        seconds=seconds,
    )


def render(rows: Sequence[EffortRow]) -> str:
    """A Markdown table: BD-rate and time of every effort against the lowest one, means over pictures."""
    lowest = min(row.effort for row in rows)
    lines = ["| effort | BD-rate | time |", "| ---: | ---: | ---: |"]
    for effort in sorted({row.effort for row in rows}):
        before, after = _curves(rows, lowest), _curves(rows, effort)
        rates = [bd_rate(before[image], after[image]) for image in before]
        percents = [rate.percent for rate in rates if rate is not None]
        rate = f"{fmean(percents):+.1f} %" if percents else "N/A"
        seconds = [sum(row.seconds for row in rows if row.effort == each) for each in (lowest, effort)]
        lines.append(f"| {effort} | {rate} | {seconds[1] / seconds[0]:.1f} |")
    return "\n".join(lines)


def _curves(rows: Sequence[EffortRow], effort: int) -> dict[str, Curve]:
    points: defaultdict[str, list[Point]] = defaultdict(list)
    for row in rows:
        if row.effort == effort:
            points[row.image].append(Point(row.bpp, row.psnr))
    return {image: monotone_curve(found) for image, found in points.items()}


@click.command()
@images_option
@model_option
@click.option("--qualities", default="20,50,80", show_default=True, help="Qualities, separated by commas.")
@click.option(
    "--efforts", default="1,2,3,4,5,6,7,8,9", show_default=True, help="Efforts to compare, separated by commas."
)
@click.option(
    "--side",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Side of the middle that is cut out; 0: the whole picture.",
)
@out_option(f"Folder for {CSV_NAME}.")
def effort(images: Path, model: str, qualities: str, efforts: str, side: int, out: Path) -> None:
    """Compare the efforts of the encoder: rate at equal PSNR, and time."""
    from ddncodec import Codec

    rows = []
    with library_errors():
        codec = Codec(model)
        for path in picture_paths(images):
            original = load_picture(path)
            if side:
                left, top = (max(0, length - side) // 2 for length in original.size)
                original = original.crop((left, top, left + side, top + side))
            for quality in map(float, qualities.split(",")):
                rows += [measure(codec, path.name, original, quality, int(each)) for each in efforts.split(",")]
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / CSV_NAME, rows, EffortRow)
    click.echo(render(rows))
