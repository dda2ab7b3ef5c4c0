"""The options of commands that take many files."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ddncodec.cli.batch.jobs import Words
from ddncodec.cli.batch.run import Policy, Workers
from ddncodec.cli.options import FILE, quiet_option

F = TypeVar("F", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Batch:
    """What the words of a command line say of its files."""

    words: Words
    policy: Policy
    workers: Workers
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


def batch_options(command: F) -> F:
    """Give a command IN, OUT and what goes with many files, as one argument `batch`."""

    @functools.wraps(command)
    def gathered(
        files: tuple[Path, ...], output: Path | None, recursive: bool, processes: int, engine: str, no_overwrite: bool,
        resume: bool, as_json: bool, quiet: bool, **rest: Any,
    ) -> Any:  # fmt: skip
        policy = Policy(overwrite=not no_overwrite, resume=resume)
        workers = Workers(processes, engine)
        return command(batch=Batch(Words(files, output, recursive), policy, workers, quiet, as_json), **rest)

    for option in reversed(_BATCH_OPTIONS):
        gathered = option(gathered)
    return gathered  # type: ignore[return-value]
