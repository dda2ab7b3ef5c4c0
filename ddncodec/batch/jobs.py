"""From files and folders to pairs of a file to read and one to write, all of it checked before any work."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from ddncodec.batch.outcomes import FileJob, Outcome, describe
from ddncodec.errors import ArgumentError
from ddncodec.files import STANDARD, is_special


def plan(
    sources: Sequence[Path],
    output: Path,
    suffix: str,
    wanted: Collection[str],
    *,
    recursive: bool,
    into_folder: bool = False,
    pattern: str | None = None,
) -> tuple[list[FileJob], list[Outcome]]:
    """The jobs of a command, and outcomes of what cannot be done; each source, with `recursive` each file below it.

    `output` is a file, or a folder where it is one, there are several sources, or `into_folder` says so. `suffix` is
    that of outputs in folders, and `wanted` are those of inputs in folders, lower case, or all whose name
    matches a `pattern` of the shell. Outputs keep the place that their inputs have below a folder given as a source.

    Raises ArgumentError where an output is an input by any name, or would be written twice, or no output can be made.
    """
    into_folder = output != STANDARD and (into_folder or len(sources) > 1 or _is_folder(sources[0]) or output.is_dir())
    failed: list[Outcome] = []
    jobs = list(dict.fromkeys(_jobs(sources, output, into_folder, suffix, wanted, pattern, recursive, failed)))
    if not (jobs or failed):
        kind = f"with one of the suffixes {' '.join(sorted(wanted))}" if pattern is None else f"named {pattern}"
        raise ArgumentError(f"{sources[0]}: holds no file {kind}")
    if into_folder:
        if output.exists() and not output.is_dir():
            raise ArgumentError(f"{output}: is a file, must be a folder for several outputs")
        check_output(output / "file", make_folders=True)
    else:
        check_output(output)
    check_distinct(jobs)
    return jobs, failed


def check_output(path: Path, *, make_folders: bool = False) -> None:
    """Raise ArgumentError where a file `path` could not be made; `make_folders`: its missing folders will be."""
    complaint = output_complaint(path, make_folders=make_folders)
    if complaint is not None:
        raise ArgumentError(f"{path}: {complaint}")


def output_complaint(path: Path, *, make_folders: bool = False) -> str | None:
    """What keeps a file `path` from being made, as `check_output` says it; None where nothing does."""
    if path == STANDARD or is_special(path):
        return None
    if _is_folder(path):
        return "is a folder, must be a file"
    path = Path(os.path.realpath(path))
    folder = path.parent
    while make_folders and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        return f"folder {folder} does not exist"
    if not os.access(folder, os.W_OK):
        return f"folder {folder} is not writable"
    if path.exists() and not os.access(path, os.W_OK):
        return "is write-protected"
    return None


def check_distinct(jobs: Sequence[FileJob]) -> None:
    """Raise ArgumentError where an output is an input, by whatever name, or two inputs have one output."""
    inputs = {identity: job.source for job in jobs if (identity := _identity(job.source)) is not None}
    owners: dict[str, Path] = {}
    folds = {folder: _folds_case(folder) for folder in {job.target.parent for job in jobs}}
    for job in jobs:
        if job.target == STANDARD or is_special(job.target):
            continue
        identity = _identity(job.target)
        if identity is not None and identity in inputs:
            also = "" if inputs[identity] == job.target else f" (as {inputs[identity]})"
            raise ArgumentError(f"{job.target}: is both input and output{also}")
        place = os.path.realpath(job.target)
        other = owners.setdefault(place.casefold() if folds[job.target.parent] else place, job.source)
        if other != job.source:
            raise ArgumentError(f"{job.target}: would be written for both {other} and {job.source}")


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a regular file, which are the same under all of its names; None for anything else."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if path != STANDARD and stat.S_ISREG(found.st_mode) else None


def _folds_case(folder: Path) -> bool:
    """Whether names in a folder that differ in case only are one file, as far as the folders there show."""
    folder = Path(os.path.realpath(folder))
    for place in (folder, *folder.parents):
        other = place.with_name(place.name.swapcase()) if place.name else place
        if other != place and place.exists():
            return other.exists() and other.samefile(place)
    return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # too long a name, or in a folder that cannot be searched: reported when the file is opened
        return False


def _jobs(
    sources: Sequence[Path],
    output: Path,
    into_folder: bool,
    suffix: str,
    wanted: Collection[str],
    pattern: str | None,
    recursive: bool,
    failed: list[Outcome],
) -> Iterator[FileJob]:
    for source in sources:
        if _is_folder(source):
            if not recursive:
                raise ArgumentError(f"{source}: is a folder, give -r to take the files in it")
            for found in _files_below(source, wanted, pattern, failed):
                yield FileJob(found, (output / found.relative_to(source)).with_suffix(suffix))
        else:
            yield FileJob(source, output / f"{source.stem}{suffix}" if into_folder else output)


def _files_below(folder: Path, wanted: Collection[str], pattern: str | None, failed: list[Outcome]) -> Iterator[Path]:
    """Files with wanted suffixes, or names of a pattern, in a folder and its folders, in order; without hidden ones.

    Folders that cannot be read, and what is no file, are added to `failed`.
    """

    def unreadable(error: OSError) -> None:
        place = Path(os.fsdecode(error.filename or folder))
        failed.append(Outcome(FileJob(place, place), error=describe(error, place)))

    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or not (
                fnmatchcase(name, pattern) if pattern else Path(name).suffix.lower() in wanted
            ):
                continue
            path = Path(place) / name
            if is_special(path):
                failed.append(Outcome(FileJob(path, path), error=f"{path}: is a device, FIFO or socket, not a file"))
            else:
                yield path
