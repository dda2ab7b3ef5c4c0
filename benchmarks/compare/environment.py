"""Where and with what a row was measured."""

import importlib.metadata
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    """The circumstances of a row, as text; "none" or "unknown" where there are none."""

    machine: str
    python: str
    torch: str
    pillow: str
    date: str
    commit: str


def current_environment() -> Environment:
    """This machine, its libraries, the UTC date, and the commit of this repository."""
    return Environment(
        machine=f"{_cpu_model()}, {os.cpu_count()} cores",
        python=platform.python_version(),
        torch=_version("torch"),
        pillow=_version("pillow"),
        date=datetime.now(timezone.utc).date().isoformat(),
        commit=_commit(Path(__file__).parent),
    )


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _commit(folder: Path) -> str:
    """Short hash, marked `-dirty` when tracked files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return result.stdout.strip()
