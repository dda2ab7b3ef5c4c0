"""The command `bench`: everything about a folder of pictures, in one self-contained HTML file."""

from pathlib import Path

import click
from PIL import Image

from benchmarks.arguments import effort_option, images_option, model_option, out_option, quiet_option, workers_option
from benchmarks.compare.codecs import Ddnc
from benchmarks.compare.page import PAGE_NAME, PROGRESSIVE_FOLDER, SMALL_FOLDER, pass_file
from benchmarks.compare.progressive import CSV_NAME, ProgressiveRow, measure_prefixes
from benchmarks.compare.rd import choose_codecs, codecs_option, measure_folder, write_reports
from benchmarks.compare.rows import write_rows
from benchmarks.compare.small import measure_small, small_codecs
from benchmarks.compare.views import make_views
from benchmarks.datasets import load_picture, picture_paths

PASSES, PASS_SIDE = 5, 480
"""Passes of the stream that the report cuts, and the longer side in pixels of a picture of it."""


@click.command(epilog="\b\nExamples:\n  ddnc bench --images photos/ --out report/ --codecs ddnc,jpeg,webp --jobs 2")
@images_option
@codecs_option
@model_option
@effort_option(Ddnc.effort)
@out_option("Folder of the report.")
@workers_option
@click.option("--small/--no-small", default=True, show_default=True, help="Measure pictures of 28 to 256 bytes, too.")
@click.option(
    "--views",
    "shown",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Pictures to show in the report, about 3 MB each.",
)
@quiet_option
def bench(
    images: Path, names: str, model: str, effort: int, out: Path, workers: int, small: bool, shown: int, quiet: bool
) -> None:
    """Measure codecs over a folder of pictures and write OUT/report.html.

    A run that was killed continues where it stopped.
    """
    codecs, paths = choose_codecs(names, model, effort), picture_paths(images)
    measure_folder(codecs, paths, out, workers, quiet=quiet)
    make_views(codecs, paths[:shown], out, quiet=quiet)
    for codec in codecs:
        if isinstance(codec, Ddnc):
            _progressive(codec, paths[0], out / PROGRESSIVE_FOLDER)
    if small:
        measure_small(small_codecs(model, effort), paths, out / SMALL_FOLDER, workers, quiet=quiet)
    write_reports(out)
    if not quiet:
        click.echo(f"wrote {out / PAGE_NAME}")


def _progressive(codec: Ddnc, path: Path, folder: Path) -> None:
    """Rows and pictures of one stream of PASSES passes, cut after each of them."""
    from ddncodec import Codec

    folder.mkdir(parents=True, exist_ok=True)
    rows, shown = measure_prefixes(Codec(codec.model), path.name, load_picture(path), quality=60, passes=PASSES)
    for row in rows:
        if row.unit == "pass":
            picture = shown[row.levels - 1]
            picture.thumbnail((PASS_SIDE, PASS_SIDE), Image.Resampling.LANCZOS)
            picture.save(folder / pass_file(row.number), lossless=True)
    write_rows(folder / CSV_NAME, rows, ProgressiveRow)
