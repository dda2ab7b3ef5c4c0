"""A folder of photographs by one `ddnc encode -r`, against a loop of single commands; and memory over the batch."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image

from benchmarks.arguments import model_option
from benchmarks.compare.environment import current_environment
from benchmarks.datasets import drawn_picture, load_picture, picture_paths
from benchmarks.errors import BenchmarkError

SAMPLE_SECONDS = 0.2
"""Pause between two readings of a process's memory."""


@dataclass(frozen=True)
class Run:
    """What commands took: seconds of wall time and of processor time, and MiB of resident memory while they ran."""

    seconds: float
    processor: float
    memory: tuple[float, ...]

    @property
    def growth(self) -> float:
        """Median memory in the last quarter of the run over that in the second: 1 where memory is flat."""
        quarter = max(1, len(self.memory) // 4)
        return statistics.median(self.memory[-quarter:]) / statistics.median(self.memory[quarter : 2 * quarter] or (1,))


def measured(commands: Sequence[Sequence[str]]) -> Run:
    """Run commands one after the other.

    Raises:
        BenchmarkError: one failed.
    """
    start, before, memory = time.perf_counter(), os.times(), list[float]()
    for command in commands:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                memory += _resident(process.pid)
                time.sleep(SAMPLE_SECONDS)
            if process.returncode:
                assert process.stderr is not None
                raise BenchmarkError(f"{' '.join(command)}: {process.stderr.read().strip()}")
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(time.perf_counter() - start, processor, tuple(memory))


def _resident(process: int) -> list[float]:
    """Resident memory in MiB, empty where the system does not report it or the process has ended."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return []
    return [int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmRSS")]


def summary(loop: Run, files: int, once: Run, total: int) -> list[str]:
    """Two lines of costs and one of ratios a picture: `files` by single commands against `total` by one batch."""
    lines = [
        f"{label:16} {done:4} {run.seconds:8.1f} s {run.processor:8.1f} s of processor, "
        f"{run.processor / done:.2f} s a picture, {max(run.memory):.0f} MiB at most"
        for label, run, done in (("single commands", loop, files), ("one batch", once, total))
    ]
    share = total / files
    wall, processor = share * loop.seconds / once.seconds, share * loop.processor / once.processor
    return [
        *lines,
        f"ratio                 {wall:8.2f}   {processor:8.2f}; memory of the batch grows by {once.growth:.3f}",
    ]


def _commands(source: Path, target: Path, options: Sequence[str]) -> Iterator[list[str]]:
    for path in picture_paths(source):
        yield [*_ddnc(), str(path), str(target / f"{path.stem}.ddn"), *options]


def _ddnc() -> list[str]:
    return [sys.executable, "-m", "ddncodec.cli", "encode"]


@click.command()
@click.option("--images", type=click.Path(path_type=Path), metavar="DIR", help="Photographs.  [default: drawn ones]")
@click.option("--count", default=200, show_default=True, type=click.IntRange(4), help="Pictures to take or to draw.")
@click.option(
    "--singles", type=click.IntRange(1), metavar="N", help="Pictures to encode by single commands.  [default: all]"
)
@model_option
@click.option("-j", "--jobs", default=1, show_default=True, type=click.IntRange(1), help="Processes of the batch.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Of each process.")
def batch(images: Path | None, count: int, singles: int | None, model: str, jobs: int, threads: int) -> None:
    """Time `ddnc encode -r` on a folder against a loop of single commands; ratios are of the time a picture takes."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    with tempfile.TemporaryDirectory() as name:
        source, single, many = (Path(name, part) for part in ("photos", "single", "many"))
        for folder in (source, single, many):
            folder.mkdir()
        if images is None:
            for seed in range(count):
                Image.fromarray(drawn_picture(seed)).save(source / f"drawn{seed:04}.jpg", quality=95)
        else:
            for path in picture_paths(images)[:count]:
                load_picture(path).save(source / f"{path.stem}.png")
        options = ["--model", model, "--quiet"]
        loop = measured(list(_commands(source, single, options))[:singles])
        once = measured([[*_ddnc(), "-r", str(source), "-o", str(many), "-j", str(jobs), *options]])
        names, total = [path.name for path in single.iterdir()], sum(1 for _ in many.iterdir())
        equal = sum((single / name).read_bytes() == (many / name).read_bytes() for name in names)
    click.echo(f"{current_environment().machine}, {total} pictures, {threads} thread(s), {jobs} process(es)")
    for line in summary(loop, len(names), once, total):
        click.echo(line)
    click.echo(f"{equal} of {len(names)} files equal")
