"""Models of random weights, made in a moment."""

from __future__ import annotations

from pathlib import Path

import torch

from bitstream import LevelTables
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.zoo.loading import save_model


def save_one_cell(path: Path, side: int, outputs: int = 5, count: int = 2) -> Path:
    """Write a model of `count` levels with one cell in a picture of side x side; returns its path."""
    levels = tuple(LevelConfig(side, outputs) for _ in range(count))
    config = NetworkConfig((StageConfig(stride=4, channels=4, features=0, basis=6, levels=levels),))
    network = DiscreteDistributionNetwork(config, torch.Generator().manual_seed(7))
    save_model(path, network, tuple(LevelTables.flat(outputs) for _ in levels), name=path.stem, about="random")
    return path
