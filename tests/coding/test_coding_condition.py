"""Conditional codecs: what is given is known to encoder and decoder, and is part of neither's choice."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from drawing import draw_picture
from PIL import Image

import bitstream
from bitstream import Header, LevelTables
from ddncodec.cli.main import main
from ddncodec.codec import Codec
from ddncodec.coding.encoder import encode
from ddncodec.errors import ArgumentError
from ddncodec.generation.guidance import Guide, guided_planes
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.zoo.loading import save_model

LEVELS = tuple(LevelConfig(8, 6) for _ in range(3))
PICTURE = draw_picture(20, 27, 3)


def save(folder: Path, kind: str) -> Path:
    """A model of random weights."""
    config = NetworkConfig(
        (StageConfig(stride=4, channels=8, features=2, basis=6, levels=LEVELS),),
        condition=kind,
        classes=3 if kind == "class" else 0,
    )
    network = DiscreteDistributionNetwork(config, torch.Generator().manual_seed(7))
    with torch.no_grad():
        for layer in network.stages[0].layers:
            layer.to_base.weight += 0.1 * torch.randn(layer.to_base.weight.shape, generator=torch.Generator())
    path = folder / f"{kind}.safetensors"
    save_model(path, network, tuple(LevelTables.flat(6) for _ in LEVELS), name=kind, about="random")
    return path


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("given")
    return {kind: save(folder, kind) for kind in ("class", "gray", "edges")}


@pytest.mark.parametrize(("kind", "right", "wrong"), [("class", 2, 0), ("gray", PICTURE, 255 - PICTURE)])
def test_streams_decode_under_the_condition_they_were_encoded_under(
    paths: dict[str, Path], kind: str, right: int | np.ndarray, wrong: int | np.ndarray
) -> None:
    codec = Codec(paths[kind])
    data = codec.condition(right).encode(PICTURE, 100, tune="psnr")
    decoded, otherwise = (np.asarray(codec.condition(each).decode(data), int) for each in (right, wrong))
    planes = encode(codec.condition(right).engine, PICTURE[None], [bitstream.read_header(data)])[0].planes
    assert all(map(np.array_equal, codec.planes(data), planes))
    assert np.abs(decoded - otherwise).mean() > 2


def test_nothing_goes_without_what_must_be_given(paths: dict[str, Path], tiny_codec: Codec) -> None:
    codec = Codec(paths["class"])
    data = codec.condition(1).encode(PICTURE)
    for call in (lambda: codec.encode(PICTURE), lambda: codec.decode(data), lambda: tiny_codec.condition(1)):
        with pytest.raises(ArgumentError, match=r"`(given|condition)`"):
            call()


@pytest.mark.parametrize(
    ("kind", "given"), [("class", 3), ("class", -1), ("class", PICTURE), ("gray", 1), ("edges", 0)]
)
def test_what_is_given_must_fit_the_model(paths: dict[str, Path], kind: str, given: int | np.ndarray) -> None:
    with pytest.raises(ArgumentError, match=r"`(given|condition)`"):
        Codec(paths[kind]).condition(given)


def test_a_plane_is_as_large_as_the_picture(paths: dict[str, Path]) -> None:
    with pytest.raises(ArgumentError, match="26 x 20 pixels, must be 27 x 20"):
        Codec(paths["gray"]).condition(PICTURE[:, 1:]).encode(PICTURE)


def test_a_colour_picture_gives_its_gray(paths: dict[str, Path]) -> None:
    codec = Codec(paths["gray"])
    gray = Image.fromarray(PICTURE).convert("L")
    one, other = (codec.condition(each).encode(PICTURE, 100) for each in (PICTURE, gray))
    one, other = (np.asarray(codec.condition(gray).decode(data), float) for data in (one, other))
    assert np.abs(one - other).mean() < 3, "except for rounding"


def test_a_condition_is_of_one_codec_and_travels_with_it(paths: dict[str, Path]) -> None:
    codec = Codec(paths["class"])
    zero, two = codec.condition(0), codec.condition(2)
    data = two.encode(PICTURE, 100)
    assert zero.encode(PICTURE, 100) != data
    assert pickle.loads(pickle.dumps(two)).encode(PICTURE, 100) == data


def test_guidance_and_condition_combine(paths: dict[str, Path]) -> None:
    header = Header(bytes(8), 27, 20, lambda_step=100)
    wanted = torch.from_numpy(PICTURE).permute(2, 0, 1).float() / 255
    guide = Guide((lambda pictures: (pictures - wanted).square().mean(dim=1),))
    found = []
    for given in (0, 2):
        engine = Codec(paths["class"]).condition(given).engine
        planes = guided_planes(engine, guide, header, np.random.default_rng(0))
        guided, plain = engine.replay([planes], [header])[0], engine.replay([[p * 0 for p in planes]], [header])[0]
        assert np.square(guided - PICTURE.astype(float)).mean() < 0.8 * np.square(plain - PICTURE.astype(float)).mean()
        found.append(guided)
    assert not np.array_equal(*found)


def test_commands_take_conditions(paths: dict[str, Path], tmp_path: Path) -> None:
    gray, out = tmp_path / "gray.png", tmp_path / "out.png"
    Image.fromarray(PICTURE).convert("L").save(gray)
    commands = (
        (["sample", "--model", paths["class"], "--given", "0", "--given", "2", "--count", "3"], (28, 18)),
        (["sample", "--model", paths["gray"], "--given", gray, "--count", "1"], (27, 20)),
        (["guide", "--model", paths["class"], "--task", "colorize", "--input", gray, "--given", "1"], (27, 20)),
    )
    for words, size in commands:
        result = CliRunner().invoke(main, [str(word) for word in (*words, "-o", out)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        with Image.open(out) as picture:
            assert picture.size == size
    for words in (["sample", "--model", paths["class"]], ["sample", "--model", paths["gray"], "--given", tmp_path]):
        result = CliRunner().invoke(main, [str(word) for word in (*words, "-o", out)])
        assert result.exit_code == 1 and result.output.startswith("ddnc: error: ")
