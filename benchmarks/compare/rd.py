"""The command `rd`: measure rate and distortion of codecs over a folder of pictures."""

import sys
from pathlib import Path

import click

from benchmarks.arguments import effort_option, images_option, model_option, out_option, quiet_option, workers_option
from benchmarks.compare.batches import write_batches
from benchmarks.compare.codecs import Ddnc, DdncPsnr, ImageCodec
from benchmarks.compare.environment import current_environment
from benchmarks.compare.measure import available, measure, remaining_jobs
from benchmarks.compare.page import NOTES_NAME, PAGE_NAME, write_page
from benchmarks.compare.report import draw_plot, render_table, table_rows
from benchmarks.compare.rivals import rivals
from benchmarks.compare.rows import append_row, open_rows, read_rows, write_rows
from benchmarks.compare.summary import summarize
from benchmarks.datasets import picture_paths
from benchmarks.errors import BenchmarkError

CSV_NAME, TABLE_NAME, PLOT_NAME, BATCHES_NAME = "rd.csv", "rd.md", "rd.png", "batches"

codecs_option = click.option(
    "--codecs",
    "names",
    default=",".join([Ddnc.name, DdncPsnr.name, *rivals()]),
    show_default=True,
    help="Codecs to measure, separated by commas.",
)


@click.command()
@images_option
@codecs_option
@model_option
@effort_option(Ddnc.effort)
@out_option(
    f"Folder for {CSV_NAME} and what is made of it: {TABLE_NAME}, {PLOT_NAME}, {BATCHES_NAME}/ and {PAGE_NAME}."
)
@click.option("--fresh", is_flag=True, help="Measure the named codecs again from the start.")
@workers_option
@quiet_option
def rd(images: Path, names: str, model: str, effort: int, out: Path, fresh: bool, workers: int, quiet: bool) -> None:
    """Measure codecs over a folder of pictures, and report.

    Rows already in OUT/rd.csv are not measured again, so a killed run resumes, and codecs can be
    added one at a time.
    """
    measure_folder(choose_codecs(names, model, effort), picture_paths(images), out, workers, fresh=fresh, quiet=quiet)
    table = write_reports(out)
    if not quiet:
        click.echo(table)


def choose_codecs(names: str, model: str, effort: int) -> list[ImageCodec]:
    """The codecs of a list separated by commas that can run here.

    Raises:
        BadParameter: a name is not that of a codec.
    """
    known: dict[str, ImageCodec] = {
        Ddnc.name: Ddnc(model, effort),
        DdncPsnr.name: DdncPsnr(model, effort),
        **rivals(),
    }
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        if name not in known:
            message = f"'{name}' is not one of {', '.join(known)}"
            raise click.BadParameter(message, param_hint="--codecs")
    return available([known[name] for name in chosen])


def measure_folder(
    codecs: list[ImageCodec], paths: list[Path], out: Path, workers: int, *, fresh: bool = False, quiet: bool = False
) -> None:
    """Append the rows that OUT/rd.csv lacks; the bar, with the time remaining, is drawn on a terminal only.

    A codec that fails is left out, with a line on stderr and in OUT/notes.txt.

    Raises:
        BenchmarkError: ddnc failed, or every codec.
    """
    out.mkdir(parents=True, exist_ok=True)
    csv = out / CSV_NAME
    (out / NOTES_NAME).unlink(missing_ok=True)
    if fresh:
        measured = {codec.name for codec in codecs}
        write_rows(csv, [row for row in open_rows(csv) if row.codec not in measured])
    done = open_rows(csv)
    plan = [(codec, remaining_jobs(codec, paths, done)) for codec in codecs]
    environment = current_environment()
    with click.progressbar(
        length=sum(len(jobs) for _, jobs in plan),
        label="measuring",
        show_pos=True,
        show_eta=True,
        file=sys.stderr,
        hidden=quiet or not sys.stderr.isatty(),
    ) as bar:
        for codec, jobs in plan:
            try:
                for row in measure(codec, jobs, environment, workers):
                    append_row(csv, row)
                    bar.update(1)
            except Exception as error:  # whatever the library of a codec raises
                _leave_out(codec, error, out)
    if not open_rows(csv):
        raise BenchmarkError("no codec could be measured")


def _leave_out(codec: ImageCodec, error: Exception, out: Path) -> None:
    """Remove the rows of a codec that failed, so that a report does not mix its pictures, and note why.

    Raises:
        BenchmarkError: it is ddnc, without which there is nothing to compare.
    """
    note = f"{codec.title} is left out, as it failed: {str(error) or type(error).__name__}"
    if isinstance(codec, Ddnc):
        raise BenchmarkError(f"{codec.name} failed: {error}") from error
    csv = out / CSV_NAME
    write_rows(csv, [row for row in open_rows(csv) if row.codec != codec.name])
    click.echo(note, err=True)
    with (out / NOTES_NAME).open("a", encoding="utf-8") as file:
        file.write(" ".join(note.split()) + "\n")


def write_reports(out: Path) -> str:
    """Write table, plot, batches and page of OUT/rd.csv; returns the table."""
    rows = read_rows(out / CSV_NAME)
    shown = table_rows(rows)
    table = render_table(shown)
    (out / TABLE_NAME).write_text(table + "\n", encoding="utf-8")
    draw_plot(summarize(shown)).savefig(out / PLOT_NAME, dpi=150)
    write_batches(out / BATCHES_NAME, rows)
    write_page(out)
    return table
