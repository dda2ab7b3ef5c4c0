"""Weights files to networks and back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from bitstream import IndexPrior, LevelTables, Probabilities
from ddncodec.errors import ModelError
from ddncodec.files import write_atomically
from ddncodec.model import DiscreteDistributionNetwork, NetworkConfig
from ddncodec.model.config import PATCH
from ddncodec.zoo.weights_file import (
    ModelInfo,
    metadata_of,
    network_key,
    prior_arrays,
    read_info,
    read_prior,
    read_tables,
    table_arrays,
)

MAX_BASIS = 1 << 24
"""Most numbers of a basis that a weights file may ask for; bases are computed, not stored."""


@dataclasses.dataclass(frozen=True)
class Model:
    """A network ready to run, with the integers that its streams are coded with.

    `tables` are simple statistics of its indices; with an index prior, only the encoder's search uses them.
    """

    info: ModelInfo
    network: DiscreteDistributionNetwork
    tables: tuple[LevelTables, ...]
    prior: IndexPrior | None = None

    @property
    def probabilities(self) -> Probabilities:
        """What its streams are coded with: the index prior, or the tables if there is none."""
        return self.prior or self.tables


def load_model(info: ModelInfo, device: torch.device) -> Model:
    """Read weights and tables.

    Raises:
        ModelError: they are damaged or do not fit the configuration.
    """
    try:
        with safe_open(info.path, framework="pt") as file:
            keys = [key for key in file.keys() if key.startswith(network_key(""))]
            network = _empty_network(info, {key: tuple(file.get_slice(key).get_shape()) for key in keys})
            weights = {name: file.get_tensor(network_key(name)).float() for name, _ in network.named_parameters()}
        network.load_state_dict(weights, strict=False, assign=True)  # misses further names of shared parameters
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(f"{info.path}: weights are damaged ({error})") from error
    network.requires_grad_(False).eval()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    levels = len(info.layout)
    return Model(info, network.to(device), read_tables(info.path, levels), read_prior(info.path, levels))


def _empty_network(info: ModelInfo, shapes: dict[str, tuple[int, ...]]) -> DiscreteDistributionNetwork:
    """The network that a weights file describes, whose weights have `shapes`, without memory for them.

    A description of a few bytes can ask for any amount; and initial weights are not needed.

    Raises:
        ModelError: the configuration is not valid, or its weights have other shapes.
    """
    try:
        config = NetworkConfig.from_json(info.config)
        for stage in config.stages:
            pixels = (PATCH * stage.levels[0].cell // stage.stride) ** 2
            if not 0 < pixels * min(stage.basis, pixels) <= MAX_BASIS:
                raise ValueError(f"`basis` (={stage.basis}) of `cell` (={stage.levels[0].cell}) is 0 or too large")
        with torch.device("meta"):
            planned = DiscreteDistributionNetwork(config)
        expected = {network_key(name): tuple(parameter.shape) for name, parameter in planned.named_parameters()}
        if wrong := sorted({name for name, _ in shapes.items() ^ expected.items()}):
            raise ValueError(f"missing, unknown or of another shape: {', '.join(wrong)}")
        for module in planned.modules():
            for name, buffer in module.named_buffers(recurse=False):
                if buffer.is_meta:
                    module.register_buffer(name, torch.zeros_like(buffer, device="cpu"), persistent=False)
        return planned.float()  # whatever the default dtype
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"{info.path}: configuration and weights do not fit ({error})") from error


def save_model(
    path: Path,
    network: DiscreteDistributionNetwork,
    tables: tuple[LevelTables, ...],
    *,
    name: str,
    about: str,
    prior: IndexPrior | None = None,
) -> ModelInfo:
    """Write a weights file (half precision) atomically and read its description back."""
    tensors = {
        network_key(name): value.detach().cpu().half().contiguous() for name, value in network.named_parameters()
    }
    arrays = table_arrays(tables) | (prior_arrays(prior) if prior else {})
    tensors.update((key, torch.from_numpy(array.copy())) for key, array in arrays.items())
    metadata = metadata_of(name, network.config.to_json(), about)
    write_atomically(path, save(tensors, metadata))
    return read_info(path)
