"""Files in and out; a reader of an output sees the old one or the new one, never half of either."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STANDARD = Path("-")
"""Stands for standard input or output."""


def read_file(path: Path) -> bytes:
    """The bytes of a file, or of standard input."""
    return sys.stdin.buffer.read() if path == STANDARD else path.read_bytes()


def write_file(path: Path, data: bytes) -> None:
    """Put bytes into a file, whole or not at all, or on standard output."""
    if path == STANDARD:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_atomically(path, data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; move it over `path` on success, remove it on any failure."""
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    temporary.touch(exist_ok=False)  # with the permissions of any new file, which a temporary one would not have
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` through a temporary file in the same folder."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)
