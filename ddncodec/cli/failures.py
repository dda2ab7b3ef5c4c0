"""What goes wrong, as one line on standard error and an exit status."""

from __future__ import annotations

import codecs
import importlib
import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import click

from ddncodec.batch.outcomes import describe, expected_errors, is_broken_pipe

FAILED, MISUSED, INTERRUPTED, TERMINATED = 1, 2, 130, 143


class Failure(click.ClickException):
    """Ends the command with one line and an exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = status  # type: ignore[misc]

    def show(self, file: IO[Any] | None = None) -> None:
        with suppress(OSError):  # standard error may be full or closed, and the status says it too
            click.echo(f"ddnc: error: {self.message}", file=file, err=file is None)


@contextmanager
def as_failures(subject: Path | None = None) -> Iterator[None]:
    """Turn the errors of the library and of files into failures, whose line begins with `subject`."""
    try:
        yield
    except (SystemExit, KeyboardInterrupt, click.exceptions.Exit, click.ClickException):
        raise
    except expected_errors() as error:
        if is_broken_pipe(error):
            raise
        raise Failure(describe(error, subject)) from error


def print_names_as_they_are() -> None:
    """Let standard output take names of files that are no text in its encoding, as standard error does."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
        sys.stdout.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


class Commands(click.Group):
    """A group of commands, imported when used, whose failures are one line each, those of usage included.

    summaries: name of each command and the first line of its help. Command `x` is `x` of the module `ddncodec.cli.x`.
    """

    def __init__(self, *words: Any, summaries: Mapping[str, str], **options: Any) -> None:
        super().__init__(*words, **options)
        self.summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.summaries:
            return None
        command: click.Command = getattr(importlib.import_module(f"ddncodec.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summaries[name]) for name in self.list_commands(ctx)])

    def main(self, *words: Any, **options: Any) -> Any:
        """As of `click.Group`; also what fails outside of a command is one line, --help to a full disk for one."""
        print_names_as_they_are()
        try:
            with as_failures():
                return super().main(*words, **options)
        except Failure as failure:
            failure.show()
            sys.exit(failure.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with as_failures():
                return super().invoke(ctx)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else ctx.command_path
            raise Failure(f"{error.format_message()} (see `{command} --help`)", MISUSED) from error
        except KeyboardInterrupt:
            raise Failure("interrupted", INTERRUPTED) from None
