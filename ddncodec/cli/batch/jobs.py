"""From the words of a command line to files in and files out, all of it checked before any work."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import click

from ddncodec.cli.failures import Failure

STANDARD = Path("-")
"""Standard input or output."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One file to read and one to write."""

    source: Path
    target: Path


@dataclasses.dataclass(frozen=True)
class Words:
    """What stands for files on a command line.

    `files` are inputs, the last one the output where `output` is None. With `recursive`, folders are inputs too.
    """

    files: tuple[Path, ...]
    output: Path | None
    recursive: bool


def plan(words: Words, suffix: str, wanted: Collection[str]) -> list[Job]:
    """The jobs of a command.

    `suffix` is that of outputs in folders, and `wanted` are those of inputs in folders, lower case. Outputs keep the
    place that their inputs have below a folder given as input.

    Raises click.UsageError where the words make no sense, Failure where an output cannot be or would be written twice.
    """
    sources, output = _divide(words)
    into_folder = output != STANDARD and (len(sources) > 1 or sources[0].is_dir() or output.is_dir())
    jobs = list(dict.fromkeys(_jobs(sources, output, into_folder, words.recursive, suffix, wanted)))
    if not jobs:
        raise Failure(f"{sources[0]}: holds no file with one of the suffixes {' '.join(sorted(wanted))}")
    if into_folder and output.exists() and not output.is_dir():
        raise Failure(f"{output}: is a file, must be a folder for several outputs")
    _check_distinct(jobs)
    for target in {job.target.parent: job.target for job in jobs}.values():
        check_output(target, make_folders=into_folder)
    return jobs


def read(source: Path) -> bytes:
    """The bytes of a file, or of standard input."""
    return sys.stdin.buffer.read() if source == STANDARD else source.read_bytes()


def write(target: Path, data: bytes) -> None:
    """Put bytes into a file, whole or not at all, or on standard output."""
    if target == STANDARD:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        from ddncodec.files import write_atomically  # whose tempfile `ddnc info` need not wait for

        write_atomically(target, data)


def check_output(path: Path, *, make_folders: bool = False) -> None:
    """Raise Failure where a file `path` could not be made; `make_folders`: its missing folders will be."""
    if path == STANDARD:
        return
    if path.is_dir():
        raise Failure(f"{path}: is a folder, must be a file")
    folder = path.parent
    while make_folders and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise Failure(f"{path}: folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise Failure(f"{path}: folder {folder} is not writable")


def _divide(words: Words) -> tuple[tuple[Path, ...], Path]:
    sources, output = words.files, words.output
    if output is None:
        if len(sources) < 2:
            raise click.UsageError("give IN and OUT, or -o OUT")
        *rest, output = sources
        sources = tuple(rest)
        if len(sources) > 1 and not output.is_dir():
            raise click.UsageError(f"several inputs need -o FOLDER, or a folder as the last word ({output} is none)")
    if STANDARD in sources and len(sources) > 1:
        raise click.UsageError("standard input cannot be one of several inputs")
    if output == STANDARD and len(sources) > 1:
        raise click.UsageError("several outputs cannot go to standard output, give -o FOLDER")
    return sources, output


def _jobs(
    sources: tuple[Path, ...], output: Path, into_folder: bool, recursive: bool, suffix: str, wanted: Collection[str]
) -> Iterator[Job]:
    for source in sources:
        if source.is_dir():
            if not recursive:
                raise Failure(f"{source}: is a folder, give -r to take the files in it")
            if output == STANDARD:
                raise click.UsageError("a folder cannot go to standard output, give -o FOLDER")
            for found in _files_below(source, wanted):
                yield Job(found, (output / found.relative_to(source)).with_suffix(suffix))
        elif source == STANDARD and into_folder:
            raise click.UsageError("standard input needs a file as output")
        else:
            yield Job(source, output / f"{source.stem}{suffix}" if into_folder else output)


def _files_below(folder: Path, wanted: Collection[str]) -> Iterator[Path]:
    """Files with wanted suffixes in a folder and its folders, in order of their names; hidden ones are not."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in wanted:
                yield Path(place) / name


def _check_distinct(jobs: list[Job]) -> None:
    owners: dict[Path, Path] = {}
    for job in jobs:
        if job.target == job.source != STANDARD:
            raise Failure(f"{job.target}: is both input and output")
        other = owners.setdefault(job.target, job.source)
        if other != job.source:
            raise Failure(f"{job.target}: would be written for both {other} and {job.source}")
