"""The raw measurements: one CSV row per picture, codec and setting.

Rows are appended and flushed one at a time, so a killed run loses at most the one being measured.
Every table and plot is generated from these rows and from nothing else.
"""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import get_type_hints

from benchmarks.errors import BenchmarkError


@dataclass(frozen=True)
class RdRow:
    """One file: encoded, written to disk, decoded from disk in another process."""

    image: str
    width: int
    height: int
    codec: str
    codec_version: str
    setting: int
    bytes: int
    """Size of the file on disk, header included."""
    bpp: float
    """Bits per pixel of that size."""
    psnr: float
    """dB over 8-bit RGB, see `metrics.psnr`."""
    encode_seconds: float
    """Wall time, loading of libraries and weights excluded."""
    decode_seconds: float
    machine: str
    python: str
    torch: str
    pillow: str
    date: str
    commit: str

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes a row the same measurement as another."""
        return self.codec, self.image, self.setting


COLUMNS = tuple(field.name for field in fields(RdRow))


def read_rows(path: Path) -> list[RdRow]:
    """The rows of a CSV file, in file order.

    Raises:
        BenchmarkError: the columns are others, or a value has the wrong type.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise BenchmarkError(f"{path}: columns must be {', '.join(COLUMNS)}")
        try:
            return [_parse(record) for record in reader]
        except (ValueError, TypeError) as error:
            raise BenchmarkError(f"{path}, line {reader.line_num}: {error}") from error


def write_rows(path: Path, rows: Iterable[RdRow]) -> None:
    """Replace the file by these rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def append_row(path: Path, row: RdRow) -> None:
    """Add one row to an existing file; it is on its way to the disk when this returns."""
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(asdict(row))


def open_rows(path: Path) -> list[RdRow]:
    """The rows measured so far, in a file ready for `append_row`.

    A missing file is created; a last line without its end, left by a killed run, is cut off.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    complete = text[: text.rfind("\n") + 1]
    if not complete:
        write_rows(path, ())
    elif complete != text:
        path.write_text(complete, encoding="utf-8")
    return read_rows(path)


def _parse(record: dict[str, str]) -> RdRow:
    return RdRow(**{name: kind(record[name]) for name, kind in get_type_hints(RdRow).items()})
