"""What the tests of the command line share besides fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

GOLDEN = Path(__file__).parents[1] / "golden"
TINY = GOLDEN / "tiny.safetensors"
Ddnc = Callable[..., Result]
"""Runs one command in this process."""
Refused = Callable[..., str]
"""Runs a command that must fail with one line and leave every file as it was; returns the line."""
