"""Tables and plots, generated from rows alone."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import click
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from benchmarks.compare.curves import Curve
from benchmarks.compare.metrics import PSNR
from benchmarks.compare.rows import RdRow, read_rows
from benchmarks.compare.summary import ALL_RATES, SUBJECT, BppRange, Comparison, Report, summarize
from benchmarks.errors import BenchmarkError

TABLE_BEGIN = "<!-- rd-table:begin -->"
TABLE_END = "<!-- rd-table:end -->"
TABLE_CODECS = ("ddnc", "jpeg", "jp2", "webp", "avif", "jxl")
"""Columns of the table and curves of the plot; the page has all codecs."""
TABLE_BPP = (0.06, 0.1, 0.2, 0.3, 0.6)
NOTHING = "N/A"


def render_table(report: Report) -> str:
    """The Markdown block of the README, markers included, without a final line break."""
    names = list(report.curves)
    lines = [
        TABLE_BEGIN,
        f"PSNR in dB (8-bit RGB) at equal bits per pixel; {_pictures(report)}.",
        "",
        _line("bpp", names),
        _line("---:", ["---:"] * len(names)),
    ]
    for bpp in TABLE_BPP:
        lines.append(_line(f"{bpp:g}", [_decibels(report.curves[name], bpp) for name in names]))
    if report.comparisons:
        lines += _comparison_lines(report, names)
    lines += ["", *_notes(report), TABLE_END]
    return "\n".join(lines)


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


def _comparison_lines(report: Report, names: list[str]) -> list[str]:
    lines = []
    for measure in report.measures:
        title = "" if measure.metric is PSNR else f", {measure.metric.title}"
        heads = [f"BD-rate of {SUBJECT} against{title}", f"mean of pictures' BD-rates{title}"]
        columns = [_comparison_cells(measure.comparisons.get(name), report.pictures) for name in names]
        lines += [_line(head, row) for head, row in zip(heads, zip(*columns, strict=True), strict=True)]
    return [*lines, _line("shared PSNR range", [_range(report.comparisons.get(name)) for name in names])]


def _comparison_cells(comparison: Comparison | None, pictures: int) -> tuple[str, str]:
    """One codec's column of a metric's comparison; empty for ddnc, which has none with itself."""
    if comparison is None:
        return "", ""
    overall, rates = comparison.of_means, comparison.of_pictures
    of_pictures = f"{fmean(rates.values()):+.1f} %" if rates else NOTHING
    if 0 < len(rates) < pictures:
        of_pictures += f" ({len(rates)} of {pictures})"
    return f"{overall.percent:+.1f} %" if overall else NOTHING, of_pictures


def _range(comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    overall = comparison.of_means
    return f"{overall.low:.1f} to {overall.high:.1f} dB" if overall else NOTHING


def _notes(report: Report) -> list[str]:
    notes = ["; ".join(f"{name}: {version}" for name, version in report.versions.items()) + "."]
    if report.comparisons:
        notes.append(f"A negative BD-rate means that {SUBJECT} needs fewer bits at equal quality.")
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


def _decibels(curve: Curve, bpp: float) -> str:
    psnr = curve.quality_at(bpp)
    return NOTHING if psnr is None else f"{psnr:.2f}"


def _line(head: str, cells: Sequence[str]) -> str:
    return f"| {head} | {' | '.join(cells)} |"


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
    block = render_table(summarize(table_rows(read_rows(csv)), BppRange(bpp_min, bpp_max)))
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
