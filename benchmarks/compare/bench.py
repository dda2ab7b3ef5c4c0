"""The command `bench`: everything about a folder of pictures, in one self-contained HTML file."""

from collections.abc import Sequence
from pathlib import Path

import click
from PIL import Image

from benchmarks.arguments import effort_option, images_option, model_option, out_option, quiet_option, workers_option
from benchmarks.compare.appearance import appearances
from benchmarks.compare.baseline import compare, losses, render
from benchmarks.compare.codecs import Ddnc, ImageCodec
from benchmarks.compare.equal_score import equal_scores
from benchmarks.compare.headline import headline
from benchmarks.compare.page import PAGE_NAME, PROGRESSIVE_FOLDER, SMALL_FOLDER, pass_file, write_page
from benchmarks.compare.page_data import costs_by_machine
from benchmarks.compare.progressive import CSV_NAME as PROGRESSIVE_CSV
from benchmarks.compare.progressive import ProgressiveRow, measure_prefixes
from benchmarks.compare.quick import FOLDER_NAME, NOTE, measure_quickly
from benchmarks.compare.rd import CSV_NAME, choose_codecs, codecs_option, measure_folder, write_reports
from benchmarks.compare.rows import RdRow, read_rows, write_rows
from benchmarks.compare.small import measure_small, small_codecs
from benchmarks.compare.views import make_views
from benchmarks.datasets import load_picture, picture_paths
from benchmarks.errors import BenchmarkError

PASSES, PASS_SIDE = 5, 480
"""Passes of the stream that the report cuts, and the longer side in pixels of a picture of it."""


@click.command(
    epilog="\b\nExamples:\n  ddnc bench --images photos/ --out report/\n"
    "  ddnc bench --images photos/ --out report/ --quick --codecs ddnc,jpeg,webp\n"
    "  ddnc bench --images photos/ --out new/ --codecs ddnc --baseline old/rd.csv"
)
@images_option
@codecs_option
@model_option
@effort_option(Ddnc.effort)
@out_option("Folder of the report.")
@workers_option
@click.option("--quick", is_flag=True, help="Stop after the first report, of few pictures, reduced, at few settings.")
@click.option("--small/--no-small", default=True, show_default=True, help="Measure pictures of 28 to 256 bytes, too.")
@click.option(
    "--views",
    "shown",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Pictures to show in the report, each by six codecs at most; about 3 MB each.",
)
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CSV",
    help="Compare ddnc with its rows in this rd.csv of another version or model; exit with 1 if it lost.",
)
@click.option("--max-loss", default=1.0, show_default=True, help="Percent of bytes that may be lost to the baseline.")
@click.option("--max-slowdown", default=1.5, show_default=True, help="Times as slow as the baseline that it may be.")
@quiet_option
def bench(
    images: Path,
    names: str,
    model: str,
    effort: int,
    out: Path,
    workers: int,
    quick: bool,
    small: bool,
    shown: int,
    baseline: Path | None,
    max_loss: float,
    max_slowdown: float,
    quiet: bool,
) -> None:
    """Measure codecs over a folder of pictures and write OUT/report.html.

    A quick report comes first, within about two minutes; the full one replaces it. A run that was killed continues
    where it stopped.
    """
    codecs, paths = choose_codecs(names, model, effort), picture_paths(images)
    if not (out / CSV_NAME).exists() or quick:
        rows = measure_quickly(codecs, paths, out, workers, quiet=quiet)
        write_page(out / FOLDER_NAME, out=out, note=NOTE)
        if not quiet:
            click.echo(f"wrote {out / PAGE_NAME}, a quick report: {_finding(rows)}")
    if not quick:
        measure_folder(codecs, paths, out, workers, quiet=quiet)
        rows = read_rows(out / CSV_NAME)
        make_views(_viewed(codecs, rows), paths[:shown], out, quiet=quiet)
        for codec in codecs:
            if isinstance(codec, Ddnc):
                _progressive(codec, paths[0], out / PROGRESSIVE_FOLDER)
        if small:
            measure_small(small_codecs(model, effort), paths, out / SMALL_FOLDER, workers, quiet=quiet)
        write_reports(out)
        if not quiet:
            click.echo(f"wrote {out / PAGE_NAME}: {_finding(rows)}")
    if baseline is not None:
        change = compare(read_rows(baseline), rows)
        click.echo(render(change))
        if found := losses(change, max_loss, max_slowdown):
            raise BenchmarkError("; ".join(found))


def _viewed(codecs: Sequence[ImageCodec], rows: Sequence[RdRow]) -> list[ImageCodec]:
    """Of the codecs that were measured, those whose curves are drawn at first; all if there is none of these."""
    measured = {row.codec for row in rows}
    looks = appearances(measured)
    found = [codec for codec in codecs if codec.name in measured and looks[codec.name].shown]
    return found or [codec for codec in codecs if codec.name in measured]


def _finding(rows: Sequence[RdRow]) -> str:
    """What the rows say, in one line."""
    found = headline(equal_scores(rows), costs_by_machine(rows))
    return found.sentences[0] if found else f"{len(rows)} rows"


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
    write_rows(folder / PROGRESSIVE_CSV, rows, ProgressiveRow)
