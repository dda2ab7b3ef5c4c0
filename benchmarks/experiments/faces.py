"""Small pictures of a fixed size: bytes of the plain streams and PSNR after some of their levels."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from PIL import Image

from benchmarks.compare.metrics import psnr
from benchmarks.compare.rows import write_rows
from benchmarks.compare.strips import stack, strip
from benchmarks.datasets import load_picture, picture_paths
from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    from ddncodec import Codec

CSV_NAME, PICTURE_NAME = "faces.csv", "faces.png"
BATCH = 50
SHOWN = 4
PANEL = 144
"""Side in pixels of an enlarged picture."""


@dataclass(frozen=True)
class FaceRow:
    """One stream after one of its levels; `index_bits` of the indices so far, and `bytes` of the whole file.

    Level 0 is what the decoder is given, for models that are given a gray picture.
    """

    image: str
    model: str
    effort: int
    bytes: int
    level: int
    index_bits: int
    psnr: float


@dataclass(frozen=True)
class Coded:
    """A picture, bytes of its file, and what that decodes to, by number of levels."""

    path: Path
    size: int
    shown: dict[int, Image.Image]


def encode_files(pictures: Sequence[Path], folder: Path, model: str, effort: int) -> list[Path]:
    """Plain streams of all pictures, as files in `folder`."""
    from ddncodec import Codec

    streams = []
    groups = list(_groups(Codec(model), pictures))
    with click.progressbar(groups, label="encoding", file=sys.stderr, hidden=not sys.stderr.isatty()) as shown:
        for codec, group in shown:
            encoded = codec.encode_batch([load_picture(path) for path in group], coding="plain", effort=effort)
            for path, data in zip(group, encoded, strict=True):
                streams.append(folder / f"{path.stem}.ddn")
                streams[-1].write_bytes(data)
    return streams


def decode_files(
    streams: Sequence[Path], originals: Sequence[Path], model: str, levels: Sequence[int]
) -> list[list[Image.Image]]:
    """The pictures of every file after each of the levels; runs in a separate process.

    Of `originals` it looks at what the model is given, and only at that.
    """
    from ddncodec import Codec

    datas, shown = iter([stream.read_bytes() for stream in streams]), []
    for codec, group in _groups(Codec(model), originals):
        mine = [next(datas) for _ in group]
        given = [load_picture(path).convert("L") for path in group]
        after = [codec.decode_batch(mine, level) if level else given for level in levels]
        shown += [[picture.convert("RGB") for picture in pictures] for pictures in zip(*after)]
    return shown


def _groups(codec: Codec, pictures: Sequence[Path]) -> Iterator[tuple[Codec, Sequence[Path]]]:
    """Pictures to be coded together, and by what: each alone where its gray is given, which no other shares."""
    if codec.engine.model.network.config.condition == "gray":
        yield from ((codec.condition(load_picture(path).convert("L")), [path]) for path in pictures)
    else:
        yield from ((codec, pictures[start : start + BATCH]) for start in range(0, len(pictures), BATCH))


def code(pictures: Sequence[Path], model: str, effort: int, levels: Sequence[int]) -> list[Coded]:
    """Encode every picture to a file, which another process decodes.

    Raises:
        BenchmarkError: the model does not have these levels.
    """
    from ddncodec.model import NetworkConfig
    from ddncodec.zoo import registry

    info = registry.find(model)
    first = 0 if NetworkConfig.from_json(info.config).condition == "gray" else 1
    if not first <= min(levels) <= max(levels) <= len(info.layout):
        raise BenchmarkError(
            f"model {info.name} has levels {first} to {len(info.layout)}, not {min(levels)} to {max(levels)}"
        )
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        streams = encode_files(pictures, Path(folder), model, effort)
        decoded = other.submit(decode_files, streams, pictures, model, levels).result()
        return [
            Coded(picture, stream.stat().st_size, dict(zip(levels, shown, strict=True)))
            for picture, stream, shown in zip(pictures, streams, decoded, strict=True)
        ]


def measure(coded: Sequence[Coded], model: str, effort: int) -> list[FaceRow]:
    """Rows of every picture and level."""
    from ddncodec.zoo import registry

    info, rows = registry.find(model), []
    bits = [(level.outputs - 1).bit_length() for level in info.layout]
    for each in coded:
        original = load_picture(each.path)
        rows += [
            FaceRow(
                image=each.path.name,
                model=info.identity.hex(),
                effort=effort,
                bytes=each.size,
                level=level,
                index_bits=sum(bits[:level]),
                psnr=round(psnr(original, shown), 4),
            )
            for level, shown in each.shown.items()
        ]
    return rows


def draw(coded: Sequence[Coded], rows: Sequence[FaceRow]) -> Image.Image:
    """A row for each of the first SHOWN pictures: enlarged after each of the levels, and the original."""
    by_place, strips = {(row.image, row.level): row for row in rows}, []
    for each in coded[:SHOWN]:
        found = [by_place[each.path.name, level] for level in each.shown]
        texts = [f"{row.index_bits / 8:g} bytes, {row.psnr:.2f} dB" for row in found]
        pictures = [*each.shown.values(), load_picture(each.path)]
        enlarged = [picture.resize((PANEL, PANEL), Image.Resampling.BICUBIC) for picture in pictures]
        strips.append(strip(list(zip([*texts, "original"], enlarged, strict=True))))
    return stack(strips)


def render(rows: Sequence[FaceRow]) -> str:
    """A Markdown table of means over pictures, a line for every level; pictures with a perfect level are left out."""
    perfect = {row.image for row in rows if math.isinf(row.psnr)}
    rows = [row for row in rows if row.image not in perfect]
    if not rows:
        return f"Pictures: {len(perfect)}, all without error."
    sizes = sorted({row.bytes for row in rows})
    lines = ["| level | bits of indices | bytes of indices | PSNR (dB) |", "| ---: | ---: | ---: | ---: |"]
    for level in sorted({row.level for row in rows}):
        group = [row for row in rows if row.level == level]
        bits = group[0].index_bits
        lines.append(f"| {level} | {bits} | {bits / 8:g} | {fmean(row.psnr for row in group):.2f} |")
    lines.append("")
    lines.append(
        f"Pictures: {len({row.image for row in rows})}; effort {rows[0].effort}; "
        f"files of {' to '.join(map(str, sorted({sizes[0], sizes[-1]})))} bytes; model {rows[0].model}."
        + (f" Left out: {len(perfect)} without error, as gray ones given their gray." if perfect else "")
    )
    return "\n".join(lines)


@click.command()
@click.option("--images", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--model", default="face64", show_default=True)
@click.option("--effort", type=click.IntRange(1, 9), default=1, show_default=True, help="As in `ddnc encode`.")
@click.option("--levels", default="16,32,64,96,128", show_default=True, help="After which to measure.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
def faces(images: Path, model: str, effort: int, levels: str, out: Path) -> None:
    """Measure a model with one rate, such as face64, on a folder of pictures.

    Writes faces.csv, and faces.png with the first of them; prints a table.
    """
    coded = code(picture_paths(images), model, effort, [int(level) for level in levels.split(",")])
    rows = measure(coded, model, effort)
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / CSV_NAME, rows, FaceRow)
    draw(coded, rows).save(out / PICTURE_NAME, optimize=True)
    click.echo(render(rows))
