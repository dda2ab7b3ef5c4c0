"""From files and folders to pairs of a file to read and one to write, all of it checked before any work."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ddncodec.batch.outcomes import FileJob
from ddncodec.errors import ArgumentError
from ddncodec.files import STANDARD


def plan(
    sources: Sequence[Path], output: Path, suffix: str, wanted: Collection[str], *, recursive: bool
) -> list[FileJob]:
    """The jobs of a command: each source, and with `recursive` each file below it, and where its output goes.

    `output` is a file or a folder; `suffix` is that of outputs in folders, and `wanted` are those of inputs in folders,
    lower case. Outputs keep the place that their inputs have below a folder given as a source.

    Raises ArgumentError where an output cannot be made or would be written twice.
    """
    into_folder = output != STANDARD and (len(sources) > 1 or sources[0].is_dir() or output.is_dir())
    jobs = list(dict.fromkeys(_jobs(sources, output, into_folder, suffix, wanted, recursive)))
    if not jobs:
        raise ArgumentError(f"{sources[0]}: holds no file with one of the suffixes {' '.join(sorted(wanted))}")
    if into_folder and output.exists() and not output.is_dir():
        raise ArgumentError(f"{output}: is a file, must be a folder for several outputs")
    _check_distinct(jobs)
    for target in {job.target.parent: job.target for job in jobs}.values():
        check_output(target, make_folders=into_folder)
    return jobs


def check_output(path: Path, *, make_folders: bool = False) -> None:
    """Raise ArgumentError where a file `path` could not be made; `make_folders`: its missing folders will be."""
    if path == STANDARD:
        return
    if path.is_dir():
        raise ArgumentError(f"{path}: is a folder, must be a file")
    folder = path.parent
    while make_folders and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise ArgumentError(f"{path}: folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise ArgumentError(f"{path}: folder {folder} is not writable")


def _jobs(
    sources: Sequence[Path], output: Path, into_folder: bool, suffix: str, wanted: Collection[str], recursive: bool
) -> Iterator[FileJob]:
    for source in sources:
        if source.is_dir():
            if not recursive:
                raise ArgumentError(f"{source}: is a folder, give -r to take the files in it")
            for found in _files_below(source, wanted):
                yield FileJob(found, (output / found.relative_to(source)).with_suffix(suffix))
        else:
            yield FileJob(source, output / f"{source.stem}{suffix}" if into_folder else output)


def _files_below(folder: Path, wanted: Collection[str]) -> Iterator[Path]:
    """Files with wanted suffixes in a folder and its folders, in order of their names; without hidden ones."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in wanted:
                yield Path(place) / name


def _check_distinct(jobs: Sequence[FileJob]) -> None:
    owners: dict[Path, Path] = {}
    for job in jobs:
        if job.target == job.source != STANDARD:
            raise ArgumentError(f"{job.target}: is both input and output")
        other = owners.setdefault(job.target, job.source)
        if other != job.source:
            raise ArgumentError(f"{job.target}: would be written for both {other} and {job.source}")
