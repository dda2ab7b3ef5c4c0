"""Decoding in another process, which has only the file: nothing of the encoder can leak."""

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType

from PIL import Image

from benchmarks.codecs import ImageCodec


@dataclass(frozen=True)
class Decoded:
    """A decoded picture, and the seconds spent reading and decoding its file."""

    image: Image.Image
    seconds: float


class DecodingProcess:
    """One spawned (not forked) process that loads `codec` anew and decodes many files."""

    def __init__(self, codec: ImageCodec) -> None:
        self._codec = codec
        self._pool = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))

    def __enter__(self) -> "DecodingProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def decode(self, path: Path) -> Decoded:
        """Decode the file at `path`; whatever the codec raises there is raised here."""
        return self._pool.submit(_decode_file, self._codec, path).result()


def _decode_file(codec: ImageCodec, path: Path) -> Decoded:
    codec.load()
    start = time.perf_counter()
    image = codec.decode(path.read_bytes())
    return Decoded(image, time.perf_counter() - start)
