"""The command `page`: one self-contained HTML file of a folder of rows.

The file is made of OUT/rd.csv and, where they exist, OUT/views (pictures), OUT/progressive (a stream, cut) and
OUT/small/rd.csv (small pictures); of templates, style and script in `page_assets`; and of the published figures in
benchmarks/published. It loads nothing, and its own policy forbids it to.
"""

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from benchmarks.compare.equal_score import equal_scores
from benchmarks.compare.headline import headline
from benchmarks.compare.page_data import (
    bars_data,
    bd_table,
    chart_data,
    costs_by_machine,
    heat_data,
    published_curves,
    published_table,
)
from benchmarks.compare.progressive import CSV_NAME as PROGRESSIVE_CSV
from benchmarks.compare.progressive import ProgressiveRow
from benchmarks.compare.rivals import title_of
from benchmarks.compare.rows import RdRow, read_rows
from benchmarks.compare.summary import SUBJECT, summarize
from benchmarks.compare.views import CSV_NAME as VIEWS_CSV
from benchmarks.compare.views import FOLDER_NAME as VIEWS_FOLDER
from benchmarks.compare.views import ViewRow
from ddncodec.files import write_atomically

PAGE_NAME, TITLE = "report.html", "ddncodec against other codecs"
SMALL_FOLDER, PROGRESSIVE_FOLDER = "small", "progressive"
NOTES_NAME = "notes.txt"
"""Lines that the page shows before its sections: codecs left out, and why."""
SCRIPTS = ("chart.js", "curves.js", "bars.js", "viewer.js", "report.js")
SOURCES = Path(__file__).parent / "page_assets"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="OUT")
@click.option("--title", default=TITLE, show_default=True)
def page(folder: Path, title: str) -> None:
    """Write OUT/report.html from the rows and pictures in OUT."""
    write_page(folder, title)


def write_page(folder: Path, title: str = TITLE, out: Path | None = None, note: str = "") -> None:
    """Write the page of a folder into it, or into `out`; `note` comes first in it."""
    write_atomically((out or folder) / PAGE_NAME, render_page(folder, title, note).encode())


def render_page(folder: Path, title: str = TITLE, note: str = "") -> str:
    """The whole file, a function of what is in `folder`, and of a note that comes first."""
    notes = folder / NOTES_NAME
    rows = read_rows(folder / "rd.csv")
    small = _read(folder / SMALL_FOLDER / "rd.csv", RdRow)
    views = _read(folder / VIEWS_FOLDER / VIEWS_CSV, ViewRow)
    progressive = _read(folder / PROGRESSIVE_FOLDER / PROGRESSIVE_CSV, ProgressiveRow)
    report, scores, costs = summarize(rows), equal_scores(rows), costs_by_machine(rows)
    published = published_curves(rows)
    environment = Environment(
        loader=FileSystemLoader(SOURCES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(megabytes=_megabytes, signed=_signed, number=_number, codec=title_of)
    return environment.get_template("report.html.j2").render(
        title=title,
        notes=[note, *(notes.read_text("utf-8").splitlines() if notes.exists() else ())],
        subject=SUBJECT,
        report=report,
        rows=rows,
        headline=headline(scores, costs),
        scores=scores,
        bd=bd_table(report),
        costs=costs,
        circumstances=_circumstances(rows),
        published=published,
        published_table=published_table(report, published),
        views=views,
        passes=[
            (row, _data_uri(folder / PROGRESSIVE_FOLDER / pass_file(row.number)))
            for row in progressive
            if row.unit == "pass"
        ],
        small_codecs=list(dict.fromkeys(row.codec for row in small)),
        data=_embedded(
            {
                "charts": {"rd": chart_data(rows, published), "small": chart_data(small, None)},
                "heat": heat_data(report),
                "bars": bars_data(scores),
                "views": [_view(folder / VIEWS_FOLDER, row) for row in views],
            }
        ),
        style=Markup(_source("report.css")),
        scripts=[Markup(_source(name)) for name in SCRIPTS],
    )


def pass_file(number: int) -> str:
    """Name of the picture of a stream cut after pass `number`, in the folder of progressive rows."""
    return f"pass{number}.webp"


def _read(path: Path, kind: type) -> list[Any]:
    return read_rows(path, kind) if path.exists() else []


def _source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def _view(folder: Path, row: ViewRow) -> dict[str, Any]:
    return {
        "image": row.image,
        "width": row.width,
        "height": row.height,
        "target": row.target,
        "codec": row.codec,
        "title": title_of(row.codec),
        "bytes": row.bytes,
        "psnr": row.psnr,
        "uri": _data_uri(folder / row.file),
    }


def _data_uri(path: Path) -> str:
    return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _embedded(value: object) -> Markup:
    """JSON that cannot end the element it stands in."""
    return Markup(re.sub("<", r"\\u003c", json.dumps(value, separators=(",", ":"), ensure_ascii=False)))


def _circumstances(rows: Sequence[RdRow]) -> dict[str, list[str]]:
    """Each circumstance of the rows and its values, in the order of the file."""
    columns = ("machine", "python", "torch", "pillow", "metrics", "date", "commit")
    found = {name: list(dict.fromkeys(str(getattr(row, name)) for row in rows)) for name in columns}
    loads = [row.load for row in rows if row.load is not None]
    return {**found, "load average": [f"{min(loads):.1f} to {max(loads):.1f}" if loads else "N/A"]}


def _megabytes(size: int | None) -> str:
    return "N/A" if size is None else f"{size / 1e6:.0f} MB"


def _signed(percent: float | None) -> str:
    return "N/A" if percent is None else f"{percent:+.1f} %"


def _number(value: float | None, digits: int) -> str:
    return "N/A" if value is None else f"{value:.{digits}f}"
