"""With indices fixed, decoding is differentiable and can be trained: better pictures at equal bytes."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from drawing import draw_folder, draw_picture

import bitstream
from ddncodec.codec import Codec
from ddncodec.training.finetune import decode, finetune

EXAMPLE = Path(__file__).parents[2] / "docs/examples/finetune_decoder.py"


def test_differentiable_decoding_is_decoding(tiny_path: Path) -> None:
    codec = Codec(tiny_path)
    stream = codec.encode(draw_picture(40, 56, 3), 70)
    planes, headers = [codec.planes(stream)], [bitstream.read_header(stream)]
    with torch.no_grad():
        picture = decode(codec.engine.model.network, planes, headers)
    levels = ((picture[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).byte().numpy()
    np.testing.assert_array_equal(levels, codec.engine.replay(planes, headers)[0])


def test_every_weight_behind_the_picture_has_a_gradient(tiny_path: Path) -> None:
    codec = Codec(tiny_path)
    network = codec.engine.model.network.requires_grad_(True)
    stream = codec.encode(draw_picture(40, 56, 3), 100)
    decode(network, [codec.planes(stream)], [bitstream.read_header(stream)]).square().mean().backward()
    missing = {name for name, each in network.named_parameters() if each.grad is None or not each.grad.isfinite().all()}
    unused = {"stages.1.layers.2.choice_embedding", "stages.0.to_detail.weight", "stages.0.to_detail.bias"}
    assert missing == unused, "what follows the last index, and what shows the coarse stage"


def test_fine_tuning_lowers_the_error(tiny_path: Path) -> None:
    codec, errors = Codec(tiny_path), []
    pictures = [draw_picture(32, 48, seed) for seed in range(2)]
    streams = [codec.encode(picture, 80) for picture in pictures]
    finetune(
        codec.engine.model.network,
        pictures,
        [codec.planes(each) for each in streams],
        [bitstream.read_header(each) for each in streams],
        steps=20,
        learning_rate=1e-3,
        report=lambda step, error: errors.append(error),
    )
    assert np.mean(errors[-2:]) < 0.95 * np.mean(errors[:2])
    assert not any(each.requires_grad for each in codec.engine.model.network.parameters())


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
