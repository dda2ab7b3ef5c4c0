"""Work on a cluster, by Ray Data (`pip install ddncodec[ray]`): pictures are read, encoded in actors, written.

    import ray
    from ddncodec.ray_data import encode_files

    ray.init()
    rows = encode_files("/shared/photos", "/shared/streams", workers=16)

Inputs and outputs must be where every worker reaches them. An output's name and bytes depend on its input and the
options only, and it is written by renaming a whole file: work that Ray does anew after losing a worker writes the same
files once more, so that nothing is lost, doubled or half there. Files that fail are told, and keep no other from being
done.
"""

from __future__ import annotations

import dataclasses
import io
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from ddncodec.codec import DEFAULT_QUALITY, Codec
from ddncodec.coding.effort import DEFAULT_EFFORT
from ddncodec.errors import ArgumentError, DdncError
from ddncodec.files import write_atomically
from ddncodec.zoo import registry

T = TypeVar("T")
U = TypeVar("U")
SUFFIXES = ["avif", "bmp", "jpeg", "jpg", "jxl", "png", "tif", "tiff", "webp"]
BATCH_FILES = 8


@dataclasses.dataclass(frozen=True)
class Task:
    """What every worker does: `root` and `output` are folders, `model` a name or path known to the workers."""

    root: Path
    output: Path
    model: str = "photo"
    quality: float = DEFAULT_QUALITY
    coding: str = "coded"
    effort: int = DEFAULT_EFFORT
    device: str = "cpu"

    def target(self, source: Path) -> Path:
        """Where the stream of a picture goes: as deep in `output` as the picture is in `root`."""
        return self.output / source.relative_to(self.root).with_suffix(".ddn")


class Encoder:
    """The actor: holds a codec, and turns batches of files into streams on disk."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.codec = Codec(task.model, task.device)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[Any]]:
        """`path` and `bytes` of pictures -> `path`, `bytes` as the size of the stream, `error`, a line or empty."""
        rows = [self.encode(Path(path), data) for path, data in zip(batch["path"], batch["bytes"])]
        paths, sizes, errors = zip(*rows)
        return {"path": list(paths), "bytes": list(sizes), "error": list(errors)}

    def encode(self, source: Path, data: bytes) -> tuple[str, int, str]:
        """Encode one file and write its stream."""
        try:
            with Image.open(io.BytesIO(data)) as picture:
                stream = self.codec.encode(picture, self.task.quality, self.task.coding, effort=self.task.effort)
            target = self.task.target(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, stream)
        except Exception as error:  # Pillow's decoders raise anything over damaged files
            return str(source), 0, str(error) or type(error).__name__
        return str(source), len(stream), ""


def encode_files(root: str, output: str, *, workers: int, **options: Any) -> list[dict[str, Any]]:
    """Encode every picture below `root` to a stream below `output`, with so many workers; returns a row for each.

    Rows have `path`, `bytes` of the stream, and `error`, a line or empty. `options` are further fields of Task.

    Raises: ModelError where this machine does not know the model, ArgumentError where there is no picture, or two for
    one stream, or Ray is not installed.
    """
    task = Task(Path(root).absolute(), Path(output).absolute(), **options)
    if task.model.endswith(registry.SUFFIX):
        task = dataclasses.replace(task, model=str(Path(task.model).absolute()))
    registry.find(task.model)
    _check_targets(task)
    with _cluster() as ray:
        files = ray.data.read_binary_files(str(task.root), include_paths=True, file_extensions=SUFFIXES)
        rows = files.map_batches(
            Encoder,
            fn_constructor_args=(task,),
            batch_size=BATCH_FILES,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_gpus=_gpus(task.device),
        )
        return sorted(rows.take_all(), key=lambda row: row["path"])


def _check_targets(task: Task) -> None:
    owners: dict[Path, Path] = {}
    for source in task.root.rglob("*"):
        if source.suffix[1:].lower() in SUFFIXES:
            other = owners.setdefault(task.target(source), source)
            if other != source:
                raise ArgumentError(f"{task.target(source)}: would be written for both {other} and {source}")
    if not owners:
        raise ArgumentError(f"`root` (={task.root}) holds no picture with one of the suffixes {' '.join(SUFFIXES)}")


class Worker:
    """The actor of `mapped`: holds the work, and what it loads in doing it."""

    def __init__(self, work: Callable[[Any], Any], folder: str) -> None:
        os.chdir(folder)
        self.work = work

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """`item`, a batch of one -> `result`."""
        result = np.empty(1, object)
        result[0] = self.work(batch["item"][0])
        return {"result": result}


def mapped(work: Callable[[T], U], items: Sequence[T], workers: int, device: str = "cpu") -> Iterator[U]:
    """What `work` makes of each item, in any order, each once; it is done in actors, in folders of the same name.

    What a lost worker was at is done anew. device: where work is done, of which each worker on a GPU has one.

    Raises: ArgumentError where Ray is not installed, DdncError where it gives up.
    """
    if not items:
        return
    with _cluster() as ray:
        rows = ray.data.from_items([{"item": item} for item in items])
        rows.context.enable_progress_bars = False
        done = rows.map_batches(
            Worker,
            fn_constructor_args=(work, os.getcwd()),
            batch_size=1,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_gpus=_gpus(device),
        )
        try:
            for row in done.iter_rows():
                yield row["result"]
        except ray.exceptions.RayError as error:
            raise DdncError(f"Ray gave up: {str(error).splitlines()[0]}") from error


def _gpus(device: str) -> int:
    return int(device.startswith("cuda"))


@contextmanager
def _cluster() -> Iterator[Any]:
    """Yield Ray, connected to the cluster of RAY_ADDRESS or a local one, unless it is to another."""
    try:
        import ray.data
    except ImportError as error:
        raise ArgumentError("Ray is not installed here, pip install ddncodec[ray]") from error
    if ray.is_initialized():
        yield ray
        return
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.init(logging_level=logging.ERROR, log_to_driver=False)
    try:
        yield ray
    finally:
        ray.shutdown()
