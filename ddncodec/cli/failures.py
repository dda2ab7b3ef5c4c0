"""What goes wrong, as one line on standard error and an exit status."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from bitstream import BitstreamError
from ddncodec.errors import DdncError

FAILED, MISUSED, INTERRUPTED, TERMINATED = 1, 2, 130, 143


class Failure(click.ClickException):
    """Ends the command with one line and an exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = status  # type: ignore[misc]

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"ddnc: error: {self.message}", file=file, err=file is None)


@contextmanager
def as_failures(subject: Path | None = None) -> Iterator[None]:
    """Turn the errors of the library and of files into failures, whose line begins with `subject`."""
    begin = f"{subject}: " if subject else ""
    try:
        yield
    except (DdncError, BitstreamError) as error:
        raise Failure(f"{begin}{error}") from error
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        raise Failure(f"{begin or _place(error)}{error.strerror or error}") from error


def _place(error: OSError) -> str:
    return f"{error.filename}: " if error.filename else ""


class Commands(click.Group):
    """A group of commands whose failures are one line each, those of usage included."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with as_failures():
                return super().invoke(ctx)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else ctx.command_path
            raise Failure(f"{error.format_message()} (see `{command} --help`)", MISUSED) from error
        except KeyboardInterrupt:
            raise Failure("interrupted", INTERRUPTED) from None
