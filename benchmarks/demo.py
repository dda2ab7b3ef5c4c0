"""The command `demo`: one picture coded by ddnc, and by JPEG and WebP at the nearest size.

Also runs as `python -m benchmarks.demo`, which needs the library alone, and scikit-image for the default picture.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.compare.metrics import bits_per_pixel, psnr
from benchmarks.compare.nearest import encode_nearest
from benchmarks.compare.rivals import Jpeg, WebP
from benchmarks.datasets import load_picture, sample
from benchmarks.errors import BenchmarkError

STREAM_NAME, DECODED_NAME, COMPARISON_NAME = "picture.ddn", "picture.png", "comparison.png"
PANEL = 384
"""Side in pixels of one panel of the comparison."""
LABEL = 26
CROP = 128
"""Side in pixels of the detail that the lower row enlarges, in the original."""


@dataclass(frozen=True)
class Entry:
    """One codec's version of the picture; `size` in bytes."""

    name: str
    size: int
    image: Image.Image


@click.command()
@click.option(
    "--image",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Picture to code.  [default: scikit-image's astronaut]",
)
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for streams and pictures."
)
@click.option("--quality", type=click.FloatRange(0, 100), default=50, show_default=True, help="Quality of ddnc.")
@click.option("--model", default="photo", show_default=True, help="Model of ddnc, a name or a weights file.")
def demo(image: Path | None, out: Path, quality: float, model: str) -> None:
    """Code one picture with ddnc, decode it in another process, and compare."""
    original = load_picture(image) if image else sample("astronaut")
    out.mkdir(parents=True, exist_ok=True)
    source = out / "original.png"
    original.save(source)
    stream, decoded = out / STREAM_NAME, out / DECODED_NAME
    _ddnc("encode", source, stream, "--quality", quality, "--model", model, "--quiet")
    _ddnc("decode", stream, decoded, *(("--model", model) if model.endswith(".safetensors") else ()))

    size = stream.stat().st_size
    entries = [Entry("ddnc", size, load_picture(decoded))]
    for codec in (WebP(), Jpeg()):
        data = encode_nearest(codec, original, size)
        entries.append(Entry(codec.name, len(data), codec.decode(data)))
    click.echo(_table(original, entries))
    draw_comparison(original, entries).save(out / COMPARISON_NAME, optimize=True)
    click.echo(f"wrote {out / COMPARISON_NAME}")


def draw_comparison(original: Image.Image, entries: Sequence[Entry]) -> Image.Image:
    """One column for the original and each entry: label, whole picture, and below it one detail enlarged."""
    left, top, side = busiest_square(original, CROP)
    columns = [("original", original)]
    columns += [(f"{e.name}  {e.size:,} bytes  {psnr(original, e.image):.2f} dB", e.image) for e in entries]
    scale = PANEL / max(original.size)
    shape = (max(1, round(original.width * scale)), max(1, round(original.height * scale)))
    sheet = Image.new("RGB", (shape[0] * len(columns), LABEL + shape[1] + shape[0]), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for number, (label, picture) in enumerate(columns):
        x = number * shape[0]
        draw.text((x + 6, 4), label, "black", font)
        sheet.paste(picture.resize(shape, Image.Resampling.LANCZOS), (x, LABEL))
        detail = picture.crop((left, top, left + side, top + side))
        sheet.paste(detail.resize((shape[0], shape[0]), Image.Resampling.BICUBIC), (x, LABEL + shape[1]))
    return sheet


def busiest_square(image: Image.Image, side: int) -> tuple[int, int, int]:
    """Left, top and side of the square with the greatest median gradient, on a grid of half a side."""
    side = min(side, *image.size)
    luma = np.asarray(image.convert("L").resize((max(2, image.width // 2), max(2, image.height // 2))), np.float64)
    steep = np.hypot(*np.gradient(luma))
    best = (-1.0, 0, 0)
    for top in range(0, image.height - side + 1, max(1, side // 2)):
        for left in range(0, image.width - side + 1, max(1, side // 2)):
            inside = steep[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2]
            best = max(best, (float(np.median(inside)) if inside.size else 0.0, left, top))
    return best[1], best[2], side


def _table(original: Image.Image, entries: Sequence[Entry]) -> str:
    lines = [f"{original.width} x {original.height} pixels", "codec     bytes     bpp   PSNR"]
    for entry in entries:
        rate = bits_per_pixel(entry.size, *original.size)
        lines.append(f"{entry.name:5}  {entry.size:8}  {rate:6.3f}  {psnr(original, entry.image):5.2f}")
    return "\n".join(lines)


def _ddnc(*words: object) -> None:
    """Run the command line in a separate process, which shares nothing but files with this one."""
    command = [sys.executable, "-m", "ddncodec.cli", *map(str, words)]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        raise BenchmarkError(result.stderr.strip())


if __name__ == "__main__":
    demo(prog_name="python -m benchmarks.demo")
