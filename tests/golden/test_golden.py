"""Streams written by version 1 decode for ever: to the same indices, and to the same pixels within one level."""

from __future__ import annotations

import hashlib
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

import bitstream
from ddncodec.codec import Codec
from ddncodec.zoo.loading import save_model

GOLDEN = Path(__file__).parent
STREAMS = sorted(path.stem for path in GOLDEN.glob("v1-*.ddn"))
SHA256 = {
    "tiny": "2f17e9bf7faac95fd04692c5030a8f2855042f98b01aab35683f2b66ca024bbc",
    "foretold": "0dae70b65c9a394007cc9d37538adfa4b15af8a1a3d215e8103c6c3f503accfd",
}


@pytest.mark.parametrize("name", SHA256)
def test_the_models_of_the_tests_never_change(codec_of: Callable[[str], Codec], name: str) -> None:
    info = codec_of(name).info
    assert hashlib.sha256(info.path.read_bytes()).hexdigest() == SHA256[name]
    assert info.identity.hex() == SHA256[name][:16]
    assert info.name == name
    assert info.path.stat().st_size < 100_000


@pytest.mark.parametrize("name", SHA256)
def test_models_are_written_with_the_same_names_and_numbers(
    codec_of: Callable[[str], Codec], name: str, tmp_path: Path
) -> None:
    """Names of arrays in weights files are fixed, whatever the code calls them."""
    model = codec_of(name).engine.model
    copy = tmp_path / "copy.safetensors"
    save_model(copy, model.network, model.tables, name=name, about=model.info.about, prior=model.prior)
    found, expected = load_file(copy), load_file(model.info.path)
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key], array)


def test_one_model_of_the_tests_has_an_index_prior(tiny_codec: Codec, prior_codec: Codec) -> None:
    assert tiny_codec.engine.model.prior is None
    assert isinstance(prior_codec.engine.model.probabilities, bitstream.IndexPrior)


def test_every_kind_of_stream_is_kept() -> None:
    kinds = {"coded", "plain", "best", "gray", "odd", "1x1", "passes"}
    kinds |= {"foretold", "foretold-odd", "filtered", "filtered-gray"}
    assert set(STREAMS) == {f"v1-{kind}" for kind in kinds}


@pytest.mark.parametrize("name", STREAMS)
def test_golden_streams_hold_the_same_indices(codec_of: Callable[[str], Codec], name: str) -> None:
    planes = codec_of(name).planes((GOLDEN / f"{name}.ddn").read_bytes())
    with np.load(GOLDEN / f"{name}.npz") as expected:
        assert len(planes) == len(expected.files)
        for plane, key in zip(planes, expected.files):
            np.testing.assert_array_equal(plane, expected[key])


@pytest.mark.parametrize("name", STREAMS)
def test_golden_streams_decode_to_the_same_pixels_within_one_level(codec_of: Callable[[str], Codec], name: str) -> None:
    picture = codec_of(name).decode((GOLDEN / f"{name}.ddn").read_bytes())
    expected = Image.open(GOLDEN / f"{name}.png")
    assert (picture.mode, picture.size) == (expected.mode, expected.size)
    assert np.abs(np.asarray(picture, int) - np.asarray(expected, int)).max() <= 1


def test_coded_and_plain_twins_hold_the_same_planes(tiny_codec: Codec) -> None:
    coded, plain = ((GOLDEN / f"v1-{name}.ddn").read_bytes() for name in ("coded", "plain"))
    for a, b in zip(tiny_codec.planes(coded), tiny_codec.planes(plain), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_stream_of_many_passes_has_many() -> None:
    data = (GOLDEN / "v1-passes.ddn").read_bytes()
    assert [each.levels for each in bitstream.describe(data).passes] == [1, 1, 1, 1]


@pytest.mark.parametrize("script", ["make_tiny.py", "make_streams.py"])
def test_golden_files_are_replaced_on_explicit_demand_only(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in GOLDEN.iterdir() if path.is_file()}
    monkeypatch.setattr(sys, "argv", [script])
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(SystemExit, match="--replace"):
        runpy.run_path(str(GOLDEN / script), run_name="__main__")
    assert before == {path: path.stat().st_mtime_ns for path in before}
