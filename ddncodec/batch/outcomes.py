"""What becomes of one file: a product, an error, or neither."""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class FileJob:
    """One file to read and one to write."""

    source: Path
    target: Path


@dataclasses.dataclass(frozen=True)
class Product:
    """What a job makes: the bytes of its output, and facts to report.

    `width` and `height` are of the picture; `input_bytes` is the size of what was read; `notices` are lines for the
    user; `seconds` is the time it took, its share in that of a batch; `psnr` in dB, where it was asked for.
    """

    data: bytes
    width: int
    height: int
    input_bytes: int
    notices: tuple[str, ...] = ()
    seconds: float = 0.0
    psnr: float | None = None


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a job ended: with a product, with one line of an error, or skipped with neither.

    With both, the product is written although it falls short of what was asked for.
    """

    job: FileJob
    product: Product | None = None
    error: str | None = None


@contextmanager
def failing_alone(job: FileJob, outcomes: dict[FileJob, Outcome], subject: Path | None = None) -> Iterator[None]:
    """Note any error as the outcome of one job; others are not kept from being done.

    The line of the error begins with `subject`, by default the source of the job.
    """
    try:
        yield
    except Exception as error:  # decoders and encoders of picture formats raise anything
        if is_broken_pipe(error):
            raise
        outcomes[job] = Outcome(job, error=describe(error, subject or job.source))


def expected_errors() -> tuple[type[Exception], ...]:
    """Errors of the library and of files. Asked only once something failed: importing `bitstream` takes a while."""
    from bitstream import CodecError

    return CodecError, OSError


def describe(error: Exception, subject: Path | None = None) -> str:
    """An error as one line that begins with the file it is about, where that is known."""
    begin = f"{subject}: " if subject else ""
    text = str(error)
    if isinstance(error, OSError):
        begin = begin or (f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else "")
        text = error.strerror or text
    elif not isinstance(error, expected_errors()):
        text = f"{type(error).__name__}: {text}"
    return " ".join(f"{begin}{text or type(error).__name__}".split())


def is_broken_pipe(error: Exception) -> bool:
    """Whether a reader of our output went away, which ends the command without a word."""
    return isinstance(error, OSError) and error.errno == errno.EPIPE
