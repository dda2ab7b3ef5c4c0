"""The raw measurements: one CSV row per picture, codec and setting.

Rows are appended and flushed one at a time, so a killed run loses at most those being measured. Every table, plot and
page is generated from rows and from nothing else. An empty cell is None: not measured, because a package is missing
or the picture is too small for the metric.
"""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from benchmarks.errors import BenchmarkError
from ddncodec.files import replacing

Row = TypeVar("Row")


@dataclass(frozen=True)
class RdRow:
    """One file: encoded in one process, written to disk, decoded from disk in another."""

    image: str
    width: int
    height: int
    codec: str
    codec_version: str
    setting: int
    command: str
    """What encoded it, with every option that is not the library's default."""
    bytes: int
    """Size of the file on disk, header included."""
    bpp: float
    """Bits per pixel of that size."""
    psnr: float
    """dB over 8-bit RGB, see `metrics.psnr`."""
    ms_ssim: float | None
    """0 to 1, see `metrics.ms_ssim`."""
    ssimulacra2: float | None
    """At most 100, see `metrics.ssimulacra2`."""
    encode_seconds: float
    """Wall time, loading of libraries and weights excluded."""
    decode_seconds: float
    encode_cpu: float | None
    """Processor seconds of all threads, which other work on the machine lengthens little."""
    decode_cpu: float | None
    encode_memory: int | None
    """Peak resident bytes of the encoding process, with Python, libraries and weights."""
    decode_memory: int | None
    weights: int
    """Bytes of the model that a decoder needs besides the program."""
    metrics: str
    """Packages that measured, and their versions."""
    machine: str
    load: float | None
    """Load average of the machine over the minute before."""
    python: str
    torch: str
    pillow: str
    date: str
    commit: str

    @property
    def key(self) -> tuple[str, str, int]:
        """Two rows of one key are the same measurement."""
        return self.codec, self.image, self.setting


def read_rows(path: Path, kind: type[Row] = RdRow) -> list[Row]:
    """The rows of a CSV file, in file order.

    Raises:
        BenchmarkError: the columns are others, or a value has the wrong type.
    """
    columns = _columns(kind)
    hints = get_type_hints(kind)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != columns:
            raise BenchmarkError(f"{path}: columns must be {', '.join(columns)}")
        try:
            return [kind(**{name: _parse(record[name], hints[name]) for name in columns}) for record in reader]
        except (ValueError, TypeError) as error:
            raise BenchmarkError(f"{path}, line {reader.line_num}: {error}") from error


def write_rows(path: Path, rows: Iterable[Row], kind: type[Row] = RdRow) -> None:
    """Replace the file by these rows."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _columns(kind), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def append_row(path: Path, row: Any) -> None:
    """Add one row to an existing file, flushed before this returns."""
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, _columns(type(row)), lineterminator="\n").writerow(asdict(row))


def open_rows(path: Path, kind: type[Row] = RdRow) -> list[Row]:
    """The rows measured so far, in a file ready for `append_row`.

    A missing file is created; a last line without its end, left by a killed run, is cut off.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    complete = text[: text.rfind("\n") + 1]
    if not complete:
        write_rows(path, (), kind)
    elif complete != text:
        path.write_text(complete, encoding="utf-8")
    return read_rows(path, kind)


def _columns(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _parse(text: str, hint: Any) -> Any:
    if kinds := get_args(hint):
        return kinds[0](text) if text else None
    return hint(text)
