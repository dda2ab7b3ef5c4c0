"""A command whose packages are missing says so in one line; the others work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def without_extra(tmp_path: Path) -> dict[str, str]:
    """An environment in which the packages of the extra `bench` cannot be imported."""
    for name in ("bjontegaard", "jinja2", "matplotlib", "pytorch_msssim", "skimage", "ssimulacra2"):
        text = f"raise ModuleNotFoundError(\"No module named '{name}'\", name={name!r})\n"
        (tmp_path / f"{name}.py").write_text(text)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, REPOSITORY)))}


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("module", ["benchmarks", "ddncodec.cli"])
@pytest.mark.parametrize("words", [("--images", "photos", "--out", "r"), ("--help",)])
def test_bench_without_the_extra_is_one_line(
    module: str, words: tuple[str, ...], without_extra: dict[str, str]
) -> None:
    result = run(without_extra, module, "bench", *words)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: `bench` needs the package ") and line.endswith("pip install -e '.[bench]'")


def test_the_list_of_commands_names_those_that_cannot_run(without_extra: dict[str, str]) -> None:
    result = run(without_extra, "benchmarks", "--help")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = {line.split()[0]: line for line in result.stdout.partition("Commands:")[2].splitlines() if line.strip()}
    assert "Not available" in lines["rd"] and "Not available" not in lines["samples"]
