"""What the index prior saves: the same indices, coded with it and with the simple tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Final

import click
from PIL import Image

import bitstream
from benchmarks.arguments import effort_option, images_option, library_errors, model_option, out_option
from benchmarks.compare.curves import Point, bd_rate, monotone_curve
from benchmarks.compare.metrics import psnr
from benchmarks.compare.rows import write_rows
from benchmarks.datasets import load_picture, picture_paths
from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    from ddncodec import Codec

CSV_NAME: Final = "prior.csv"


@dataclass(frozen=True)
class PriorRow:
    """One picture at one quality: bytes of whole streams of the same indices, and PSNR in dB of what they decode to."""

    image: str
    width: int
    height: int
    model: str
    quality: float
    effort: int
    plain: int
    tables: int
    prior: int
    psnr: float


def measure(codec: "Codec", image: str, original: Image.Image, quality: float, effort: int) -> PriorRow:
    """Encode one picture, and code its indices in three ways; each is decoded and checked."""
    data = codec.encode(original, quality, effort=effort, tune="psnr")
    planes, header, model = codec.planes(data), bitstream.read_header(data), codec.engine.model
    sizes = {}
    for name, coding in (("plain", None), ("tables", model.tables), ("prior", model.probabilities)):
        described = bitstream.Header(
            header.model_id, header.width, header.height, coded=coding is not None, lambda_step=header.lambda_step
        )
        passes = bitstream.encode_planes(planes, codec.info.layout, described, coding)
        coded = bitstream.write_stream(described, passes)
        found = bitstream.decode_planes(bitstream.read_stream(coded), codec.info.layout, coding)
        if any((one != other).any() for one, other in zip(found, planes, strict=True)):
            raise BenchmarkError(f"{image}: coding {name} gives other indices")
        sizes[name] = len(coded)
    distortion = psnr(original, codec.decode(coded).convert("RGB"))
    return PriorRow(image, *original.size, codec.info.name, quality, effort, **sizes, psnr=distortion)


def render(rows: Sequence[PriorRow]) -> str:
    """A Markdown table: mean bits per pixel at each quality in all three codings, and what the prior saves.

    With several qualities, the last line is the BD-rate of the mean curves.
    """
    lines = ["| quality | plain | tables | index prior | saving |", "| ---: | ---: | ---: | ---: | ---: |"]
    curves: dict[str, list[Point]] = {"tables": [], "prior": []}
    for quality in sorted({row.quality for row in rows}):
        those = [row for row in rows if row.quality == quality]
        pixels = sum(row.width * row.height for row in those)
        totals = [sum(getattr(row, name) for row in those) for name in ("plain", "tables", "prior")]
        rates = " | ".join(f"{8 * total / pixels:.3f}" for total in totals)
        lines.append(f"| {quality:g} | {rates} | {1 - totals[2] / totals[1]:.1%} |")
        for name, curve in curves.items():
            bpp = fmean(8 * getattr(row, name) / (row.width * row.height) for row in those)
            curve.append(Point(bpp, fmean(row.psnr for row in those)))
    rate = bd_rate(*map(monotone_curve, curves.values()))
    if rate is not None:
        lines.append(f"| BD-rate | | | | {-rate.percent:.1f}% |")
    return "\n".join(lines)


@click.command()
@images_option
@model_option
@click.option("--qualities", default="10,30,50,70,90", show_default=True, help="Qualities, separated by commas.")
@effort_option(1)
@out_option(f"Folder for {CSV_NAME}.")
def prior(images: Path, model: str, qualities: str, effort: int, out: Path) -> None:
    """Compare bytes of the same indices: plain, with simple tables, and with the index prior."""
    from ddncodec import Codec

    with library_errors():
        codec = Codec(model)
        if codec.engine.model.prior is None:
            raise BenchmarkError(f"`model` (={model}) has no index prior")
        rows = [
            measure(codec, path.name, load_picture(path), float(quality), effort)
            for path in picture_paths(images)
            for quality in qualities.split(",")
        ]
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / CSV_NAME, rows, PriorRow)
    click.echo(render(rows))
