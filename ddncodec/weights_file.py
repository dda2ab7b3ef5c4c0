"""The weights file: one `.safetensors` with half-precision weights, integer tables and the configuration as JSON.

Its identity is the first 8 bytes of the SHA-256 of the whole file; streams carry it. Reading what a file says of itself
needs no torch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

import bitstream
from bitstream import Layout, Level, LevelTables
from ddncodec.errors import ModelError

FORMAT = "ddncodec-1"
"""Key of the metadata entry that describes the model as JSON: name, about, config."""
TABLE_FIELDS = ("weights", "nonkeep", "values")


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """What a weights file says of itself.

    `identity` is the 8-byte model id of streams, `config` the JSON of `model.NetworkConfig`, `layout` the levels as
    the bitstream sees them, `about` one line for people.
    """

    name: str
    path: Path
    identity: bytes
    config: str
    layout: Layout
    about: str


def identify(path: Path) -> bytes:
    """The model id of a weights file: the first 8 bytes of its SHA-256."""
    return hashlib.sha256(path.read_bytes()).digest()[: bitstream.MODEL_ID_BYTES]


def read_info(path: Path, identity: bytes | None = None) -> ModelInfo:
    """Read the description of a weights file, without its tensors. Raises ModelError if it is not one of ours.

    identity: where it is known, the file is not read whole for it.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        if FORMAT not in metadata:
            raise ModelError(f"{path}: not a weights file of {FORMAT} (metadata: {', '.join(metadata) or 'none'})")
        described = json.loads(metadata[FORMAT])
        name, config, about = (str(described[key]) for key in ("name", "config", "about"))
        levels = [level for stage in json.loads(config)["stages"] for level in stage["levels"]]
        layout = tuple(Level(level["cell"], level["outputs"]) for level in levels)
        return ModelInfo(name, path, identity or identify(path), config, layout, about)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not a readable weights file ({error})") from error


def read_tables(path: Path, levels: int) -> tuple[LevelTables, ...]:
    """Read the integer tables of all levels. Raises ModelError if one is missing or malformed."""
    try:
        with safe_open(path, framework="numpy") as file:
            return tuple(
                LevelTables(*(file.get_tensor(f"tables.{level}.{field}").astype(np.int32) for field in TABLE_FIELDS))
                for level in range(levels)
            )
    except (OSError, SafetensorError, bitstream.InvalidArgumentError) as error:
        raise ModelError(f"{path}: tables are damaged ({error})") from error


def metadata_of(name: str, config: str, about: str) -> dict[str, str]:
    """The metadata of a weights file; one entry only, since safetensors writes several in random order."""
    return {FORMAT: json.dumps({"name": name, "about": about, "config": config})}


def table_arrays(tables: tuple[LevelTables, ...]) -> dict[str, np.ndarray]:
    """The tables as named arrays, the way the file stores them: in 16 bits where all entries fit."""
    arrays = {
        f"tables.{level}.{field}": np.ascontiguousarray(getattr(table, field))
        for level, table in enumerate(tables)
        for field in TABLE_FIELDS
    }
    short = np.iinfo(np.uint16)
    return {
        name: array.astype(np.uint16) if short.min <= array.min() and array.max() <= short.max else array
        for name, array in arrays.items()
    }
