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
from bitstream import IndexPrior, Layout, Level, LevelPrior, LevelTables, Probabilities
from ddncodec.errors import ModelError

FORMAT = "ddncodec-1"
"""Key of the metadata entry that describes the model as JSON: name, about, config."""
TABLE_KEYS = {"p_nonzero": "nonkeep"}
"""Fields of `LevelTables` that have another name in the file, as tables.LEVEL.KEY."""
PRIOR_KEYS = {
    "spatial": "blend",
    "spatial_bias": "blend_bias",
    "lambda_weight": "step",
    "pointwise": "mix",
    "pointwise_bias": "mix_bias",
    "anchor_embedding": "even_codes",
    "neighbours": "beside",
    "neighbours_bias": "beside_bias",
    "neighbours_pointwise": "join",
    "neighbours_pointwise_bias": "join_bias",
    "index_embedding": "codes",
}
"""Fields of `LevelPrior` that have another name in the file, as prior.LEVEL.KEY."""
NETWORK_KEYS = {
    "rate_condition": "condition",
    "condition": "given",
    "choice_embedding": "leak",
    "level_embedding": "place",
    "component_indices": "picks",
}
"""Parts of the names of a network's weights that are others in the file, as network.NAME."""
PRIOR_START = "prior.start"
"""The first array of an index prior, in the files of models that have one."""


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


def network_key(name: str) -> str:
    """The name that the file gives to the weight `name` of a network.

    >>> network_key("stages.0.layers.1.choice_embedding")
    'network.stages.0.layers.1.leak'
    """
    return ".".join(["network", *(NETWORK_KEYS.get(part, part) for part in name.split("."))])


def identify(path: Path) -> bytes:
    """The model id of a weights file: the first 8 bytes of its SHA-256."""
    return hashlib.sha256(path.read_bytes()).digest()[: bitstream.MODEL_ID_BYTES]


def read_info(path: Path, identity: bytes | None = None) -> ModelInfo:
    """Read the description of a weights file, without its tensors.

    identity: the model id, if it is known; otherwise the whole file is read to compute it.

    Raises:
        ModelError: it is not a weights file of this package, or it is damaged.
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
    """Read the integer tables of all levels.

    Raises:
        ModelError: one is missing or invalid.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            return tuple(
                LevelTables(**{field: file.get_tensor(key).astype(np.int32) for field, key in _table_keys(level)})
                for level in range(levels)
            )
    except (OSError, SafetensorError, bitstream.InvalidArgumentError) as error:
        raise ModelError(f"{path}: tables are damaged ({error})") from error


def read_prior(path: Path, levels: int) -> IndexPrior | None:
    """Read the index prior, if the model has one.

    Raises:
        ModelError: an array is missing or invalid.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            if PRIOR_START not in file.keys():
                return None
            each = (
                LevelPrior(**{field: file.get_tensor(key) for field, key in _prior_keys(level)})
                for level in range(levels)
            )
            return IndexPrior(file.get_tensor(PRIOR_START), tuple(each))
    except (OSError, SafetensorError, bitstream.InvalidArgumentError) as error:
        raise ModelError(f"{path}: index prior is damaged ({error})") from error


def read_probabilities(path: Path, levels: int) -> Probabilities:
    """Read what streams of the model are coded with: its index prior, or its tables if it has none.

    Raises:
        ModelError: they are missing or invalid.
    """
    return read_prior(path, levels) or read_tables(path, levels)


def metadata_of(name: str, config: str, about: str) -> dict[str, str]:
    """The metadata of a weights file; one entry only, since safetensors writes several in random order."""
    return {FORMAT: json.dumps({"name": name, "about": about, "config": config})}


def prior_arrays(prior: IndexPrior) -> dict[str, np.ndarray]:
    """The index prior as named arrays."""
    arrays = {
        key: np.ascontiguousarray(getattr(weights, field))
        for level, weights in enumerate(prior.levels)
        for field, key in _prior_keys(level)
    }
    return {PRIOR_START: prior.start, **arrays}


def table_arrays(tables: tuple[LevelTables, ...]) -> dict[str, np.ndarray]:
    """The tables as named arrays, the way the file stores them: in 16 bits where all entries fit."""
    arrays = {
        key: np.ascontiguousarray(getattr(table, field))
        for level, table in enumerate(tables)
        for field, key in _table_keys(level)
    }
    short = np.iinfo(np.uint16)
    return {
        name: array.astype(np.uint16) if short.min <= array.min() and array.max() <= short.max else array
        for name, array in arrays.items()
    }


def _table_keys(level: int) -> list[tuple[str, str]]:
    """Each field of `LevelTables` and its key in the file."""
    names = [field.name for field in dataclasses.fields(LevelTables)]
    return [(name, f"tables.{level}.{TABLE_KEYS.get(name, name)}") for name in names]


def _prior_keys(level: int) -> list[tuple[str, str]]:
    """Each field of `LevelPrior` and its key in the file."""
    names = [field.name for field in dataclasses.fields(LevelPrior)]
    return [(name, f"prior.{level}.{PRIOR_KEYS.get(name, name)}") for name in names]
