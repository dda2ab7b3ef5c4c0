"""Folders of pictures on a cluster, by Ray Data (`pip install ddncodec[ray]`): read, encode in actors, write.

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
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ddncodec import registry
from ddncodec.codec import DEFAULT_QUALITY, Codec
from ddncodec.errors import DdncError
from ddncodec.files import write_atomically

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
                stream = self.codec.encode(picture, self.task.quality, self.task.coding)
            target = self.task.target(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, stream)
        except (DdncError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            return str(source), 0, str(error)
        return str(source), len(stream), ""


def encode_files(root: str, output: str, *, workers: int, **options: Any) -> list[dict[str, Any]]:
    """Encode every picture below `root` to a stream below `output`, with so many workers; returns a row for each.

    Rows have `path`, `bytes` of the stream, and `error`, a line or empty. `options` are further fields of Task. Raises
    ModelError where this machine does not know the model.
    """
    import ray.data

    task = Task(Path(root).absolute(), Path(output).absolute(), **options)
    if task.model.endswith(registry.SUFFIX):
        task = dataclasses.replace(task, model=str(Path(task.model).absolute()))
    registry.find(task.model)
    files = ray.data.read_binary_files(str(task.root), include_paths=True, file_extensions=SUFFIXES)
    rows = files.map_batches(
        Encoder,
        fn_constructor_args=(task,),
        batch_size=BATCH_FILES,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(size=workers),
    )
    return sorted(rows.take_all(), key=lambda row: row["path"])
