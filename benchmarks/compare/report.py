"""Tables and plots, generated from rows alone."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from benchmarks.compare.equal_score import EVERYDAY, equal_scores
from benchmarks.compare.metrics import PSNR, SSIMULACRA2
from benchmarks.compare.rivals import title_of
from benchmarks.compare.rows import RdRow, read_rows
from benchmarks.compare.summary import ALL_RATES, SUBJECT, BppRange, Comparison, Report, summarize
from benchmarks.errors import BenchmarkError

TABLE_BEGIN = "<!-- rd-table:begin -->"
TABLE_END = "<!-- rd-table:end -->"
TABLE_CODECS = ("ddnc", "ddnc-psnr", "jpeg", "jp2", "webp", "avif", "avif-psnr", "jxl")
"""Columns of the table and curves of the plot; the page has all codecs."""
TUNINGS = {"ddnc": ("the eye (default)", SSIMULACRA2), "ddnc-psnr": ("PSNR", PSNR)}
"""How the rows of ddnc were tuned, by codec, and the score that this tuning is for."""
NOTHING = "N/A"


def render_table(rows: Sequence[RdRow], bpp_range: BppRange = ALL_RATES) -> str:
    """The Markdown block of the README, markers included, without a final line break.

    Raises:
        BenchmarkError: as `summarize`.
    """
    reports = tuned_reports(rows, bpp_range)
    report = next(iter(reports.values()))
    rivals = [name for name in report.curves if name != SUBJECT]
    lines = [
        TABLE_BEGIN,
        f"Bytes that ddnc needs more (+) or fewer (-) than another codec at equal score; {_pictures(report)}.",
        "",
        _line(["ddnc tuned for", "score", *map(title_of, rivals)]),
        _line(["---", "---", *["---:"] * len(rivals)]),
    ]
    for name, tuned in reports.items():
        lines += _tuning_lines(name, tuned, rows_of_tuning(rows, name), rivals)
    return "\n".join([*lines, "", *_notes(reports), TABLE_END])


def tuned_reports(rows: Sequence[RdRow], bpp_range: BppRange = ALL_RATES) -> dict[str, Report]:
    """What the rows say of each tuning of ddnc that they have, by codec; without ddnc, of the others alone.

    Raises:
        BenchmarkError: as `summarize`.
    """
    names = [name for name in TUNINGS if any(row.codec == name for row in rows)]
    return {name: summarize(rows_of_tuning(rows, name), bpp_range) for name in names or [SUBJECT]}


def rows_of_tuning(rows: Sequence[RdRow], name: str) -> list[RdRow]:
    """The rows with those of tuning `name` as SUBJECT, and without the other tunings."""
    chosen = [row for row in rows if row.codec == name or row.codec not in TUNINGS]
    return [dataclasses.replace(row, codec=SUBJECT) if row.codec == name else row for row in chosen]


def table_rows(rows: Sequence[RdRow]) -> list[RdRow]:
    """The rows of TABLE_CODECS where there are more codecs than these; otherwise all rows."""
    if len({row.codec for row in rows}) <= len(TABLE_CODECS):
        return list(rows)
    return [row for row in rows if row.codec in TABLE_CODECS]


def replace_table(text: str, table: str) -> str:
    """`text` with the block between the markers replaced by `table`.

    Raises:
        BenchmarkError: `text` lacks the markers.
    """
    before, begin, rest = text.partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not begin or not end:
        raise BenchmarkError(f"no {TABLE_BEGIN} ... {TABLE_END} to replace")
    return before + table + after


def draw_plot(report: Report) -> Figure:
    """Mean PSNR over mean rate, one line per codec, rate on a logarithmic axis."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    for name, curve in report.curves.items():
        width = 2.5 if name == SUBJECT else 1.2
        axes.plot(curve.bpp, curve.quality, label=name, marker="o", markersize=3, linewidth=width)
    axes.set_xscale("log")
    axes.set_xticks([0.05, 0.1, 0.2, 0.3, 0.5, 1, 2])
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("bits per pixel, header included")
    axes.set_ylabel("PSNR, dB (8-bit RGB)")
    axes.set_title(_pictures(report))
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    return figure


def _tuning_lines(name: str, report: Report, rows: Sequence[RdRow], rivals: Sequence[str]) -> list[str]:
    """One line a metric, and one an everyday score of the metric that this tuning is for."""
    if not report.comparisons:
        return []
    label, own_metric = TUNINGS[name]
    scores = [score for score in equal_scores(rows) if score.metric is own_metric]
    lines = []
    for measure in sorted(report.measures, key=lambda each: each.metric is not own_metric):
        cells = [_bd_rate(measure.comparisons.get(rival)) for rival in rivals]
        lines.append(_line([label, f"{measure.metric.title}, BD-rate", *cells]))
        for value in EVERYDAY[own_metric.name] if measure.metric is own_metric else ():
            percents = {score.rival: f"{score.percent:+.1f} %" for score in scores if score.score == value}
            lines.append(_line([label, f"{own_metric.title} {value:g}", *(percents.get(r, NOTHING) for r in rivals)]))
    return lines


def _bd_rate(comparison: Comparison | None) -> str:
    overall = comparison.of_means if comparison else None
    return f"{overall.percent:+.1f} %" if overall else NOTHING


def _notes(reports: Mapping[str, Report]) -> list[str]:
    """Versions, the range of rates, and settings left out."""
    versions = {
        name if each == SUBJECT else each: version
        for name, report in reports.items()
        for each, version in report.versions.items()
    }
    notes = ["; ".join(f"{name}: {version}" for name, version in versions.items()) + "."]
    report = next(iter(reports.values()))
    if report.comparisons:
        notes.append("BD-rates are those of the mean curves; bytes at a score are the geometric mean over pictures.")
        if report.bpp_range != ALL_RATES:
            low, high = report.bpp_range.low, report.bpp_range.high
            notes.append(f"{SUBJECT} counts from {low:g} to {high:g} bpp; ends between its settings are interpolated.")
    notes += [
        f"{name}: {curve.dropped} setting(s) left out, costlier than another and no better."
        for name, curve in report.curves.items()
        if curve.dropped
    ]
    return notes


def _pictures(report: Report) -> str:
    text = f"pictures averaged: {report.pictures}"
    if report.pictures < report.pictures_measured:
        text += f" of {report.pictures_measured}, the others unfinished"
    return text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


bpp_min_option = click.option("--bpp-min", type=float, default=0.0, help="Compare ddnc from this mean rate on.")
bpp_max_option = click.option("--bpp-max", type=float, default=math.inf, help="Compare ddnc up to this mean rate.")
csv_argument = click.argument("csv", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="CSV")


@click.command()
@csv_argument
@bpp_min_option
@bpp_max_option
@click.option(
    "--write",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="README",
    help="Replace the block in this file instead of printing it.",
)
def table(csv: Path, bpp_min: float, bpp_max: float, write: Path | None) -> None:
    """Print the README's table of the rows in CSV."""
    block = render_table(table_rows(read_rows(csv)), BppRange(bpp_min, bpp_max))
    if write is None:
        click.echo(block)
    else:
        write.write_text(replace_table(write.read_text("utf-8"), block), "utf-8")


@click.command()
@csv_argument
@click.argument("png", type=click.Path(dir_okay=False, path_type=Path), metavar="PNG")
@bpp_min_option
@bpp_max_option
def plot(csv: Path, png: Path, bpp_min: float, bpp_max: float) -> None:
    """Draw the rate-distortion curves of the rows in CSV."""
    draw_plot(summarize(table_rows(read_rows(csv)), BppRange(bpp_min, bpp_max))).savefig(png, dpi=150)
