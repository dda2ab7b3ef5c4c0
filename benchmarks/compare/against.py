"""This checkout against an earlier commit of it: processor time and memory of encoding and decoding, in turn.

Each side runs in processes of its own that import its own tree. Both decode the same streams, which the earlier commit
wrote. A machine's speed changes from minute to minute; the ratio of two runs in turn does not.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.errors import BenchmarkError

ROOT = Path(__file__).parents[2]
QUALITIES = (20, 50, 80)
EFFORT = 2
HEAD = f"{'':12} {'MP':>5} {'quality':>7} {'before s':>9} {'now s':>8} {'ratio':>6} {'before MiB':>10} {'now MiB':>8}"
WORKER = """
import inspect, json, resource, sys, time
import numpy as np, torch
torch.set_num_threads(1)
from PIL import Image
from ddncodec import Codec
model, precision, path = sys.argv[1:]
codec, picture, streams = Codec(model, precision=precision), np.asarray(Image.open(path)), {}
tune = {"tune": "psnr"} if "tune" in inspect.signature(codec.encode).parameters else {}
for line in sys.stdin:
    work, quality, argument = json.loads(line)
    start = time.process_time()
    if work == "take":
        streams[quality] = bytes.fromhex(argument)
    elif work == "decode":
        codec.decode(streams[quality])
    else:
        streams[quality] = codec.encode(picture, quality, effort=argument, **tune)
    seconds, memory = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([seconds, memory / 1024, streams[quality].hex() if work == "write" else ""]), flush=True)
"""
"""Runs with the tree of either side; uses what both have. Trees without `tune` count all errors alike."""


class Side:
    """A process that codes one picture with one tree."""

    def __init__(self, tree: Path, model: str, precision: str, picture: Path) -> None:
        threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, model, precision, str(picture)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree,
            env={**os.environ, **threads, "PYTHONPATH": str(tree)},
        )  # fmt: skip

    def ask(self, work: str, quality: int, argument: Any = None) -> tuple[float, float, str]:
        """Processor seconds, MiB at most so far, and the stream where `work` is "write". Raises BenchmarkError."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps([work, quality, argument]) + "\n")
            self.process.stdin.flush()
            return tuple(json.loads(self.process.stdout.readline()))
        except (BrokenPipeError, json.JSONDecodeError) as error:
            raise BenchmarkError(f"a process with {self.process.args[-3:]} ended while it was to {work}") from error

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *exception: object) -> None:
        assert self.process.stdin and self.process.stdout
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def report(
    reference: str, picture: np.ndarray, model: str, precision: str, sizes: Sequence[float], rounds: int
) -> Iterator[str]:
    """The lines of a table: decoding at QUALITIES and encoding at EFFORT, for each size in megapixels."""
    from benchmarks.compare.speed import filled

    with checked_out(reference) as before, tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        yield f"before: {reference} in float32; now: this checkout in {precision}"
        yield HEAD
        for size in sizes:
            path = Path(folder, "picture.png")
            Image.fromarray(filled(picture, size)).save(path)
            sides = [(before, "float32"), (ROOT, precision)]
            count = max(1, round(rounds * min(sizes) / size))
            for work, argument in (("decode", None), ("encode", EFFORT)):
                with ExitStack() as stack:
                    both = [stack.enter_context(Side(tree, model, kind, path)) for tree, kind in sides]
                    if work == "decode":
                        with Side(before, model, "float32", path) as writer:
                            for quality in QUALITIES:
                                stream = writer.ask("write", quality, 1)[2]
                                for side in both:
                                    side.ask("take", quality, stream)
                    for quality in QUALITIES:
                        yield f"{work:12} {size:5.1f} {quality:7} {_row(both, work, quality, argument, count)}"


def _row(sides: Sequence[Side], work: str, quality: int, argument: object, rounds: int) -> str:
    """Medians of seconds, the median of the ratios, and memory; a first round does not count."""
    found = [[side.ask(work, quality, argument)[:2] for side in sides] for _ in range(rounds + 1)]
    (before, now), memory = zip(*[[seconds for seconds, _ in pair] for pair in found[1:]]), [m for _, m in found[-1]]
    ratio = statistics.median(b / a for a, b in zip(before, now))
    times = f"{statistics.median(before):9.3f} {statistics.median(now):8.3f} {ratio:6.3f}"
    return f"{times} {memory[0]:10.0f} {memory[1]:8.0f}"


@contextmanager
def checked_out(reference: str) -> Iterator[Path]:
    """A temporary folder with the tree of a commit. Raises BenchmarkError where git does not know it."""
    archive = ["git", "-C", str(ROOT), "archive", "--format=tar", reference]
    run = subprocess.run(archive, capture_output=True, check=False)
    if run.returncode:
        raise BenchmarkError(f"git has no {reference!r}: {run.stderr.decode(errors='replace').strip()}")
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        with tarfile.open(fileobj=BytesIO(run.stdout)) as tar:
            tar.extractall(folder)
        yield Path(folder)
