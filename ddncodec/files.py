"""Files in and out; a reader of an output file sees the old one or the new one, never half of either."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STANDARD = Path("-")
"""Stands for standard input or output."""
_DESCRIPTOR = re.compile(r"/(?:dev|proc/(?:self|\d+))/fd/(\d+)")
_MAX_LINKS = 40
"""As many symbolic links as Linux follows."""


def read_file(path: Path) -> bytes:
    """The bytes of a file, or of standard input. Raises OSError."""
    if path != STANDARD:
        return path.read_bytes()
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.buffer.read()


def write_file(path: Path, data: bytes) -> None:
    """Put bytes into a file, whole or not at all; or into standard output, a device, a FIFO. Raises OSError."""
    if path == STANDARD:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "standard output is closed")
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    elif (descriptor := _descriptor(path)) is not None:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(data)
    elif is_special(path):
        with open(path, "wb") as file:
            file.write(data)
    else:
        write_atomically(path, data)


def is_special(path: Path) -> bool:
    """Whether a path is a device, a FIFO or a socket, which is written to and never replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _descriptor(path: Path) -> int | None:
    """N of a path that stands for the open file descriptor N, as /dev/stdout and /dev/fd/3 do."""
    for _ in range(_MAX_LINKS):
        match = _DESCRIPTOR.fullmatch(os.path.abspath(path))
        if match:
            return int(match[1])
        if not path.is_symlink():
            return None
        path = path.parent / os.readlink(path)
    return None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; move it over `path` on success, remove it on any failure.

    A symbolic link is followed. A file that is replaced keeps its permissions, and its owner where that is allowed.
    """
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".ddnc.{os.urandom(8).hex()}.part")  # short: names have at most 255 bytes
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        _keep_access(path, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _keep_access(path: Path, temporary: Path) -> None:
    try:
        old = path.stat()
    except FileNotFoundError:
        return
    new = temporary.stat()
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        for owner, group in ((old.st_uid, -1), (-1, old.st_gid)):
            try:
                os.chown(temporary, owner, group)
            except PermissionError:
                continue
    temporary.chmod(stat.S_IMODE(old.st_mode))


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` through a temporary file in the same folder."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)
