"""With indices fixed, decoding is differentiable and can be trained: better pictures at equal bytes."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from drawing import draw_folder, draw_picture

import bitstream
from bitstream import LevelTables
from ddncodec.codec import Codec
from ddncodec.coding.condition import Condition
from ddncodec.errors import ArgumentError
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.samples import to_pixels
from ddncodec.training.finetune import finetune
from ddncodec.zoo.loading import save_model

PICTURES = tuple(draw_picture(30, 44, seed) for seed in range(2))
EXAMPLE = Path(__file__).parents[2] / "docs/examples/finetune_decoder.py"


def test_differentiable_decoding_is_decoding(tiny_path: Path) -> None:
    codec = Codec(tiny_path)
    stream = codec.encode(draw_picture(40, 56, 3), 70)
    planes, headers = [codec.planes(stream)], [bitstream.read_header(stream)]
    with torch.no_grad():
        pixels = to_pixels(codec.engine.decode(planes, headers))
    np.testing.assert_array_equal(pixels, codec.engine.replay(planes, headers))


def test_every_weight_of_the_picture_has_a_gradient(tiny_path: Path) -> None:
    codec = Codec(tiny_path)
    network = codec.engine.model.network.requires_grad_(True)
    stream = codec.encode(draw_picture(40, 56, 3), 100)
    codec.engine.decode([codec.planes(stream)], [bitstream.read_header(stream)]).square().mean().backward()
    missing = {name for name, each in network.named_parameters() if each.grad is None or not each.grad.isfinite().all()}
    unused = {"stages.1.layers.2.choice_embedding", "stages.0.to_detail.weight", "stages.0.to_detail.bias"}
    assert missing == unused, "what follows the last index, and what shows the coarse stage"


def test_fine_tuning_lowers_the_error(tiny_path: Path) -> None:
    codec, errors = Codec(tiny_path), []
    pictures = [draw_picture(32, 48, seed) for seed in range(2)]
    streams = [codec.encode(picture, 80) for picture in pictures]
    finetune(
        codec.engine,
        pictures,
        [codec.planes(each) for each in streams],
        [bitstream.read_header(each) for each in streams],
        steps=20,
        learning_rate=1e-3,
        report=lambda step, error: errors.append(error),
    )
    assert np.mean(errors[-2:]) < 0.95 * np.mean(errors[:2])
    assert not any(each.requires_grad for each in codec.engine.model.network.parameters())


@pytest.mark.parametrize(("kind", "conditions"), [("class", (0, 2)), ("gray", PICTURES)])
def test_conditional_models_are_tuned_under_the_condition_of_each_picture(
    kind: str, conditions: Sequence[Condition], tmp_path: Path
) -> None:
    levels = (LevelConfig(16, 5), LevelConfig(8, 5))
    config = NetworkConfig(
        (StageConfig(stride=4, channels=8, features=2, basis=6, levels=levels),),
        condition=kind,
        classes=3 if kind == "class" else 0,
    )
    network = DiscreteDistributionNetwork(config, torch.Generator().manual_seed(1))
    flat, path = tuple(LevelTables.flat(5) for _ in levels), tmp_path / f"{kind}.safetensors"
    save_model(path, network, flat, name=kind, about="a test")
    codec = Codec(path)
    codecs = [codec.condition(each) for each in conditions]
    streams = [each.encode(picture, 80) for each, picture in zip(codecs, PICTURES)]
    planes = [each.planes(stream) for each, stream in zip(codecs, streams)]
    headers, errors = [bitstream.read_header(each) for each in streams], []
    finetune(
        codec.engine, PICTURES, planes, headers, conditions=conditions, steps=20, learning_rate=1e-2,
        report=lambda step, error: errors.append(error),
    )  # fmt: skip
    assert np.mean(errors[-4:]) < 0.95 * np.mean(errors[:4])
    with pytest.raises(ArgumentError, match="`condition`"):
        finetune(codec.engine, PICTURES, planes, headers, steps=1)


@pytest.mark.parametrize("name", ["tiny", "foretold"])
def test_the_example_gains_at_equal_bytes(name: str, tiny_path: Path, tmp_path: Path) -> None:
    model = tiny_path.with_stem(name)
    specification = importlib.util.spec_from_file_location("finetune_decoder", EXAMPLE)
    assert specification is not None and specification.loader is not None
    example = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)
    folder = draw_folder(tmp_path / "pictures", 3, 48)
    words = [folder, "--model", model, "--steps", 30, "--learning-rate", 1e-3, "--out", tmp_path / "out"]
    result = CliRunner().invoke(example.main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    size, before, after = (float(number) for number in re.findall(r"(\d+\.\d+|\d+(?= bytes))", result.output))
    codec = Codec(model)
    streams = sorted((tmp_path / "out").glob("*.ddn"))
    assert sum(path.stat().st_size for path in streams) == size
    assert after > before + 0.1
    with pytest.raises(bitstream.CompatibilityError):
        codec.decode(streams[0].read_bytes())
