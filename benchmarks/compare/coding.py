"""Coding in separate processes: one encodes, another decodes and has nothing but the file.

Both import the codec and nothing else of a benchmark, so that their memory is the codec's.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType

from PIL import Image

from benchmarks.compare.codecs import ImageCodec

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Cost:
    """What a step cost: wall seconds, processor seconds of all threads, and peak resident bytes of the process."""

    seconds: float = 0.0
    cpu: float = 0.0
    memory: int | None = None
    """None where the system does not report it (Linux does)."""


class CodingProcess:
    """One spawned (not forked) process on one core that loads `codec` and codes any number of files."""

    def __init__(self, codec: ImageCodec, core: int = 0) -> None:
        """`core` is the number of the core, among those allowed, to which the process keeps."""
        self._codec = codec
        self._pool = ProcessPoolExecutor(
            max_workers=1, mp_context=get_context("spawn"), initializer=_stay_on_core, initargs=(core,)
        )

    def __enter__(self) -> "CodingProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def encode(self, image: Image.Image, setting: int, path: Path) -> Cost:
        """Write the coded picture to `path`; whatever the codec raises there is raised here."""
        return self._pool.submit(_encode_file, self._codec, image, setting, path).result()

    def decode(self, path: Path) -> tuple[Image.Image, Cost]:
        """Decode the file at `path`; the cost includes reading it."""
        return self._pool.submit(_decode_file, self._codec, path).result()


def _stay_on_core(number: int) -> None:
    """Times of codecs with and without threads compare on one core only. Only Linux can do this."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        shift = os.getppid()  # so that two runs at a time do not share a core and leave another one idle
        os.sched_setaffinity(0, {cores[(number + shift) % len(cores)]})


def _encode_file(codec: ImageCodec, image: Image.Image, setting: int, path: Path) -> Cost:
    codec.load()
    with _metered() as cost:
        data = codec.encode(image, setting)
    path.write_bytes(data)
    return cost


def _decode_file(codec: ImageCodec, path: Path) -> tuple[Image.Image, Cost]:
    codec.load()
    with _metered() as cost:
        image = codec.decode(path.read_bytes())
    return image, cost


@contextmanager
def _metered() -> Iterator[Cost]:
    """Yield a cost that is filled in when the block ends."""
    cost = Cost()
    measures_memory = RESET.exists()
    if measures_memory:
        RESET.write_text("5")  # proc(5): resets the peak to the present size
    start, start_cpu = time.perf_counter(), time.process_time()
    yield cost
    cost.seconds, cost.cpu = time.perf_counter() - start, time.process_time() - start_cpu
    if measures_memory:
        (peak,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        cost.memory = int(peak.split()[1]) * 1024
