"""The arguments and options of commands that take many files."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ddncodec.cli.options import FILE, quiet_option
from ddncodec.files import STANDARD

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class FileArguments:
    """What stands for files on a command line.

    `files` are inputs, the last one the output where `output` is None. With `recursive`, folders are inputs too.
    """

    files: tuple[Path, ...]
    output: Path | None
    recursive: bool

    def inputs_and_output(self) -> tuple[tuple[Path, ...], Path]:
        """Raises click.UsageError where the words make no sense."""
        sources, output = self.files, self.output
        if output is None:
            if len(sources) < 2:
                raise click.UsageError("give IN and OUT, or -o OUT")
            *rest, output = sources
            sources = tuple(rest)
            if len(sources) > 1 and not output.is_dir():
                raise click.UsageError(f"several inputs need -o FOLDER, or a folder as last word ({output} is none)")
        if STANDARD in sources:
            if len(sources) > 1:
                raise click.UsageError("standard input cannot be one of several inputs")
            if output != STANDARD and output.is_dir():
                raise click.UsageError("standard input needs a file as output")
        if output == STANDARD:
            if len(sources) > 1:
                raise click.UsageError("several outputs cannot go to standard output, give -o FOLDER")
            if sources[0].is_dir():
                raise click.UsageError("a folder cannot go to standard output, give -o FOLDER")
        return sources, output


@dataclasses.dataclass(frozen=True)
class BatchArguments:
    """What a command line says of its files: which, how they are worked on, what is done to those that exist."""

    words: FileArguments
    processes: int
    engine: str
    overwrite: bool
    resume: bool
    quiet: bool
    as_json: bool


_BATCH_OPTIONS = (
    click.argument("files", metavar="IN... [OUT]", nargs=-1, required=True, type=FILE),
    click.option("-o", "--output", type=FILE, metavar="OUT", help="File or folder to write; all other words are IN."),
    click.option("-r", "--recursive", is_flag=True, help="Take the files in folders and in their folders."),
    click.option(
        "-j", "--jobs", "processes", type=click.IntRange(1), default=1, show_default=True, metavar="N",
        help="Processes to work in; each loads the model once.",
    ),
    click.option(
        "--engine", type=click.Choice(["processes", "ray"]), default="processes", show_default=True,
        help="Where these run: here, or on a cluster by Ray.",
    ),
    click.option("--no-overwrite", is_flag=True, help="Outputs that exist are errors."),
    click.option("--resume", is_flag=True, help="Skip files whose outputs exist and are not older than they are."),
    click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each file, a line each."),
    quiet_option,
)  # fmt: skip


def batch_options(command: Command) -> Command:
    """Give a command IN, OUT and what goes with many files, as one argument `batch`."""

    @functools.wraps(command)
    def gathered(
        files: tuple[Path, ...], output: Path | None, recursive: bool, processes: int, engine: str, no_overwrite: bool,
        resume: bool, as_json: bool, quiet: bool, **rest: Any,
    ) -> Any:  # fmt: skip
        if engine == "ray" and STANDARD in files[:1]:
            raise click.UsageError("--engine ray reads files, not standard input")
        words = FileArguments(files, output, recursive)
        return command(batch=BatchArguments(words, processes, engine, not no_overwrite, resume, quiet, as_json), **rest)

    for option in reversed(_BATCH_OPTIONS):
        gathered = option(gathered)
    return gathered  # type: ignore[return-value]
