"""Models with one rate and one cell a picture: plain streams of exactly L log2 K bits, no lambda step, beam search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import bitstream
from bitstream import LevelTables
from ddncodec import ArgumentError, Codec
from ddncodec.cli.main import main
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.config import FIXED_LAMBDA
from ddncodec.targets import Target, encode_to
from ddncodec.zoo.loading import save_model

CELL, LEVELS, OUTPUTS = 16, 24, 32
OVERHEAD = 16


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stage = StageConfig(
        stride=4,
        channels=8,
        features=0,
        basis=16,
        levels=tuple(LevelConfig(CELL, OUTPUTS, block=not i % 4) for i in range(LEVELS)),
    )
    config = NetworkConfig((stage,), smallest_lambda=FIXED_LAMBDA, largest_lambda=FIXED_LAMBDA)
    network = DiscreteDistributionNetwork(config, torch.Generator().manual_seed(0))
    path = tmp_path_factory.mktemp("model") / "one.safetensors"
    save_model(path, network, tuple(LevelTables.flat(OUTPUTS) for _ in range(LEVELS)), name="one", about="a test")
    return path


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    small = np.random.default_rng(2).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((CELL, CELL), Image.Resampling.BICUBIC))


def test_plain_streams_hold_exactly_their_indices(model: Path, picture: np.ndarray) -> None:
    codec = Codec(model)
    streams = {quality: codec.encode(picture, quality, "plain") for quality in (0, 50, 100)}
    assert len(set(streams.values())) == 1
    assert len(streams[50]) == LEVELS * 5 // 8 + OVERHEAD
    assert bitstream.read_header(streams[50]).lambda_step is None
    assert codec.decode(streams[50]).size == (CELL, CELL)


def test_beam_search_lowers_the_error_at_equal_size(model: Path, picture: np.ndarray) -> None:
    codec = Codec(model)
    streams = [codec.encode(picture, coding="plain", effort=effort) for effort in (1, 9)]
    errors = [np.square(codec.decode_array(data).astype(float) - picture).mean() for data in streams]
    assert len(streams[0]) == len(streams[1])
    assert errors[1] < errors[0]


def test_sizes_are_reached_too(model: Path, picture: np.ndarray) -> None:
    """Of coded streams, whose sizes the price of a bit changes; their headers name no lambda."""
    codec, large = Codec(model), np.tile(picture, (6, 6, 1))
    size = len(codec.encode(large))
    encoded = encode_to(codec, large, Target(max_bytes=size // 2))
    assert len(encoded.data) <= size // 2
    assert bitstream.read_header(encoded.data).lambda_step is None
    assert codec.decode(encoded.data).size == (6 * CELL, 6 * CELL)


def test_the_command_searches_too(model: Path, picture: np.ndarray, tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "a.ddn"
    Image.fromarray(picture).save(source)
    command = ["encode", str(source), str(target), "--model", str(model), "--coding", "plain", "--effort", "9"]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert target.read_bytes() == Codec(model).encode(picture, coding="plain", effort=9)


@pytest.mark.parametrize("effort", [0, 10])
def test_an_effort_out_of_range_is_refused(model: Path, picture: np.ndarray, effort: int) -> None:
    with pytest.raises(ArgumentError, match=rf"`effort` \(={effort}\) must be an integer 1\.\.9"):
        Codec(model).encode(picture, effort=effort)
