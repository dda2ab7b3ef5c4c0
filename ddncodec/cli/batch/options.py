"""The arguments and options of commands that take many files."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ddncodec.cli.options import quiet_option
from ddncodec.files import STANDARD

if TYPE_CHECKING:
    from ddncodec.batch.outcomes import FileJob, Outcome
    from ddncodec.batch.run import Workers

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class InputsAndOutput:
    """What is read and where it goes; `into_folder` where the output was written with a slash at its end.

    `implied`: the output was left out.
    """

    sources: tuple[Path, ...]
    output: Path
    into_folder: bool
    implied: bool


@dataclasses.dataclass(frozen=True)
class FileArguments:
    """What stands for files on a command line.

    `files` are inputs, the last one the output where `output` is None. With `recursive`, folders are inputs too.
    """

    files: tuple[str, ...]
    output: str | None
    recursive: bool

    def resolve(self, suffix: str) -> InputsAndOutput:
        """Inputs and output; one input alone is written next to itself, with another suffix.

        Raises click.UsageError where the words make no sense.
        """
        words, output = list(self.files), self.output
        if output is None and len(words) > 1:
            *words, output = words
            if len(words) > 1 and not Path(output).is_dir() and not _ends_in_slash(output):
                raise click.UsageError(f"several inputs need -o FOLDER, or a folder as last word ({output} is none)")
        sources, implied = tuple(Path(word) for word in words), output is None
        if output is None:
            if sources[0] == STANDARD:
                raise click.UsageError("standard input needs OUT, or -o OUT")
            if sources[0].is_dir():
                raise click.UsageError("a folder needs OUT, or -o OUT")
            output = str(sources[0].with_suffix(suffix))
        target, into_folder = Path(output), _ends_in_slash(output)
        if STANDARD in sources:
            if len(sources) > 1:
                raise click.UsageError("standard input cannot be one of several inputs")
            if target != STANDARD and (target.is_dir() or into_folder):
                raise click.UsageError("standard input needs a file as output")
        if target == STANDARD:
            if len(sources) > 1:
                raise click.UsageError("several outputs cannot go to standard output, give -o FOLDER")
            if sources[0].is_dir():
                raise click.UsageError("a folder cannot go to standard output, give -o FOLDER")
        return InputsAndOutput(sources, target, into_folder, implied)


def _ends_in_slash(word: str) -> bool:
    return word.endswith(tuple(filter(None, (os.sep, os.altsep))))


@dataclasses.dataclass(frozen=True)
class BatchArguments:
    """What a command line says of its files: which, how they are worked on, what is done to those that exist."""

    words: FileArguments
    processes: int
    engine: str
    pattern: str | None
    overwrite: bool | None
    resume: bool
    dry_run: bool
    verbose: bool
    quiet: bool
    as_json: bool

    def plan(
        self, words: InputsAndOutput, suffix: str, suffixes: Collection[str]
    ) -> tuple[list[FileJob], list[Outcome]]:
        """What to read and write; arguments and errors are those of `jobs.plan`."""
        from ddncodec.batch.jobs import plan

        return plan(
            words.sources,
            words.output,
            suffix,
            suffixes,
            recursive=self.words.recursive,
            into_folder=words.into_folder,
            pattern=self.pattern,
        )

    def workers(self, count: int, device: str) -> Workers:
        """Processes for `count` files."""
        from ddncodec.batch.run import Workers

        return Workers(max(1, min(self.processes, count)), self.engine, device)


_BATCH_OPTIONS = (
    click.argument("files", metavar="IN... [OUT]", nargs=-1, required=True, type=click.Path()),
    click.option("-o", "--output", type=click.Path(), metavar="OUT", help="File or folder to write."),
    click.option("-r", "--recursive", is_flag=True, help="Take the files in folders and in their folders."),
    click.option("--glob", "pattern", metavar="PATTERN", help="With -r: files of such names, as 'IMG_*.jpg'."),
    click.option(
        "-j", "--jobs", "processes", type=click.IntRange(1), default=1, show_default=True, metavar="N",
        help="Processes to work in; each loads the model once.",
    ),
    click.option(
        "--engine", type=click.Choice(["processes", "ray"]), default="processes", show_default=True,
        help="Where these run: here, or on a cluster by Ray.",
    ),
    click.option(
        "--overwrite/--no-overwrite", default=None,
        help="Replace outputs that exist, or not.  [default: yes, but not files next to IN that OUT does not name]",
    ),
    click.option("-n", "--dry-run", is_flag=True, help="Print what would be written, and do nothing."),
    click.option("--resume", is_flag=True, help="Skip files whose outputs exist and are not older than they are."),
    click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each file, a line each."),
    click.option("-v", "--verbose", is_flag=True, help="Print time, PSNR of streams, and size against the input."),
    quiet_option,
)  # fmt: skip


def batch_options(command: Command) -> Command:
    """Give a command IN, OUT and what goes with many files, as one argument `batch`."""

    @functools.wraps(command)
    def gathered(files: tuple[str, ...], output: str | None, recursive: bool, **options: Any) -> Any:
        if options["engine"] == "ray" and str(STANDARD) in files[:1]:
            raise click.UsageError("--engine ray reads files, not standard input")
        own = {field.name: options.pop(field.name) for field in dataclasses.fields(BatchArguments)[1:]}
        return command(batch=BatchArguments(FileArguments(files, output, recursive), **own), **options)

    for option in reversed(_BATCH_OPTIONS):
        gathered = option(gathered)
    return gathered  # type: ignore[return-value]
