"""A process that may not grow."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOM = 64 << 20
"""Bytes of address space that a test with `little_memory` may add to what the process has."""


@pytest.fixture
def little_memory(request: pytest.FixtureRequest) -> Iterator[None]:
    """Allocations beyond ROOM, or the parameter, fail: with MemoryError in Python, with an abort in the range coder."""
    room = getattr(request, "param", ROOM)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + room, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
