"""Weights files to networks and back. The only module besides `model` and `training` that handles parameters."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from bitstream import LevelTables
from ddncodec.errors import ModelError
from ddncodec.files import write_atomically
from ddncodec.model import DiscreteDistributionNetwork, NetworkConfig
from ddncodec.weights_file import ModelInfo, metadata_of, read_info, read_tables, table_arrays

PREFIX = "network."


@dataclasses.dataclass(frozen=True)
class Model:
    """A network ready to run, with the integer tables that its streams are coded with."""

    info: ModelInfo
    network: DiscreteDistributionNetwork
    tables: tuple[LevelTables, ...]


def load_model(info: ModelInfo, device: torch.device) -> Model:
    """Read weights and tables. Raises ModelError if they are damaged or do not fit the configuration."""
    network = DiscreteDistributionNetwork(NetworkConfig.from_json(info.config))
    try:
        with safe_open(info.path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(PREFIX)]
            weights = {name.removeprefix(PREFIX): file.get_tensor(name).float() for name in names}
        if weights.keys() != (known := dict(network.named_parameters()).keys()):
            raise RuntimeError(f"missing or unknown: {', '.join(sorted(weights.keys() ^ known))}")
        network.load_state_dict(weights, strict=False)  # which misses the further names of shared parameters
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(f"{info.path}: weights are damaged ({error})") from error
    network.requires_grad_(False).eval()
    return Model(info, network.to(device), read_tables(info.path, len(info.layout)))


def save_model(
    path: Path,
    network: DiscreteDistributionNetwork,
    tables: tuple[LevelTables, ...],
    *,
    name: str,
    about: str,
) -> ModelInfo:
    """Write a weights file (half precision) atomically and read its description back."""
    tensors = {
        PREFIX + key: value.detach().cpu().half().contiguous() for key, value in network.named_parameters()
    }
    tensors.update((key, torch.from_numpy(array.copy())) for key, array in table_arrays(tables).items())
    metadata = metadata_of(name, network.config.to_json(), about)
    write_atomically(path, save(tensors, metadata))
    return read_info(path)
