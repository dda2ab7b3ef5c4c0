"""The command `rd`: measure rate and distortion of codecs over a folder of pictures."""

import sys
from pathlib import Path

import click

from benchmarks.codecs import Ddnc, ImageCodec, rivals
from benchmarks.datasets import picture_paths
from benchmarks.environment import current_environment
from benchmarks.measure import available, measure, remaining_jobs
from benchmarks.report import draw_plot, render_table
from benchmarks.rows import append_row, open_rows, read_rows, write_rows
from benchmarks.summary import summarize

CSV_NAME, TABLE_NAME, PLOT_NAME = "rd.csv", "rd.md", "rd.png"


@click.command()
@click.option(
    "--images",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the original pictures.",
)
@click.option(
    "--codecs",
    "names",
    default=",".join([Ddnc.name, *rivals()]),
    show_default=True,
    help="Codecs to measure, separated by commas.",
)
@click.option("--model", default="photo", show_default=True, help="Model of ddnc.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Folder for {CSV_NAME}, {TABLE_NAME} and {PLOT_NAME}.",
)
@click.option("--fresh", is_flag=True, help="Measure the named codecs again from the start.")
@click.option("--quiet", is_flag=True, help="Show neither progress nor the table.")
def rd(images: Path, names: str, model: str, out: Path, fresh: bool, quiet: bool) -> None:
    """Measure codecs over a folder of pictures, and report.

    Rows already in OUT/rd.csv are not measured again, so a killed run resumes, and codecs can be
    added one at a time.
    """
    codecs = available(_choose(names, model))
    paths = picture_paths(images)
    out.mkdir(parents=True, exist_ok=True)
    csv = out / CSV_NAME
    if fresh:
        again = {codec.name for codec in codecs}
        write_rows(csv, [row for row in open_rows(csv) if row.codec not in again])
    _measure_missing(codecs, paths, csv, quiet)

    report = summarize(read_rows(csv))
    table = render_table(report)
    (out / TABLE_NAME).write_text(table + "\n", encoding="utf-8")
    draw_plot(report).savefig(out / PLOT_NAME, dpi=150)
    if not quiet:
        click.echo(table)


def _choose(names: str, model: str) -> list[ImageCodec]:
    known: dict[str, ImageCodec] = {Ddnc.name: Ddnc(model), **rivals()}
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        if name not in known:
            message = f"'{name}' is none of {', '.join(known)}"
            raise click.BadParameter(message, param_hint="--codecs")
    return [known[name] for name in chosen]


def _measure_missing(codecs: list[ImageCodec], paths: list[Path], csv: Path, quiet: bool) -> None:
    """Append the rows that the file lacks; the bar is drawn on a terminal only."""
    done = open_rows(csv)
    plan = [(codec, remaining_jobs(codec, paths, done)) for codec in codecs]
    environment = current_environment()
    with click.progressbar(
        length=sum(len(job.settings) for _, jobs in plan for job in jobs),
        label="measuring",
        show_pos=True,
        file=sys.stderr,
        hidden=quiet or not sys.stderr.isatty(),
    ) as bar:
        for codec, jobs in plan:
            for row in measure(codec, jobs, environment):
                append_row(csv, row)
                bar.update(1)
