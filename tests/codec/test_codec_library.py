"""The codec in other people's programs: threads, other processes, arrays and tensors, parts of pictures."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch

import bitstream
from bitstream import Limits
from ddncodec.codec import Codec
from ddncodec.coding.tiling import Tiling
from ddncodec.errors import ArgumentError, ImageError, ModelError

Draw = Callable[[int, int, int], np.ndarray]


def test_threads_share_a_codec(tiny_path: Path, drawn_picture: Draw) -> None:
    """A fresh copy, so that the first thing the threads do is to load the weights."""
    codec = pickle.loads(pickle.dumps(Codec(tiny_path)))
    pictures = [drawn_picture(40 + 8 * seed, 64, seed) for seed in range(6)]
    alone = [Codec(tiny_path).encode(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(codec.encode, pictures * 4)) == alone * 4
        decoded = list(threads.map(codec.decode_array, alone * 4))
    for picture, data in zip(decoded, alone * 4, strict=True):
        assert np.abs(picture.astype(int) - codec.decode_array(data)).max() <= 1


def test_a_pickled_codec_is_small_and_loads_when_used(tiny_path: Path, tmp_path: Path, drawn_picture: Draw) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(tiny_path.read_bytes())
    codec = Codec(own, precision="bfloat16", limits=Limits(max_pixels=2000))
    pickled = pickle.dumps(codec)
    assert len(pickled) < own.stat().st_size / 10
    own.write_bytes(b"something else")
    copy = pickle.loads(pickled)
    assert (copy.precision, copy.limits, copy.info) == (codec.precision, codec.limits, codec.info)
    with pytest.raises(ModelError, match="SHA-256"):
        copy.encode(drawn_picture(8, 8, 0))
    own.write_bytes(tiny_path.read_bytes())
    assert copy.encode(drawn_picture(8, 8, 0)) == codec.encode(drawn_picture(8, 8, 0))


def test_a_codec_travels_to_other_processes(tiny_codec: Codec, drawn_picture: Draw) -> None:
    pictures = [drawn_picture(24, 32, seed) for seed in range(2)]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        there = list(pool.map(tiny_codec.encode, pictures))
    for data, picture in zip(there, pictures, strict=True):
        planes = zip(tiny_codec.planes(data), tiny_codec.planes(tiny_codec.encode(picture)), strict=True)
        assert all(np.array_equal(a, b) for a, b in planes)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tensors_go_in_and_out(tiny_codec: Codec, drawn_picture: Draw, channels: int) -> None:
    array = np.dstack([drawn_picture(24, 40, 5), drawn_picture(24, 40, 6)])[:, :, :channels]
    tensor = torch.from_numpy(array.transpose(2, 0, 1).copy())
    data = tiny_codec.encode(tensor)
    assert data == tiny_codec.encode(array)
    out = tiny_codec.decode_tensor(data)
    assert (out.dtype, out.shape) == (torch.uint8, tensor.shape)
    np.testing.assert_array_equal(out.numpy().transpose(1, 2, 0), np.atleast_3d(tiny_codec.decode_array(data)))


def test_a_tensor_may_be_a_batch(tiny_codec: Codec, drawn_picture: Draw) -> None:
    tensor = torch.stack([torch.from_numpy(drawn_picture(16, 24, seed).transpose(2, 0, 1).copy()) for seed in (1, 2)])
    assert tiny_codec.encode_batch(tensor) == tiny_codec.encode_batch(list(tensor))
    assert len(tiny_codec.encode_batch(tensor)) == 2


@pytest.mark.parametrize("tensor", [torch.zeros(3, 4, 4), torch.zeros(5, 4, 4, dtype=torch.uint8)])
def test_tensors_that_are_no_pictures_are_refused(tiny_codec: Codec, tensor: torch.Tensor) -> None:
    with pytest.raises(ImageError):
        tiny_codec.encode(tensor)


REGIONS = [(0, 0, 1, 1), (0, 0, 190, 170), (189, 169, 1, 1), (37, 53, 61, 48), (100, 0, 90, 170), (3, 160, 187, 10)]


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_equals_the_crop_of_the_whole(
    tiny_path: Path, tiny_codec: Codec, drawn_picture: Draw, region: tuple[int, int, int, int]
) -> None:
    """Also where it takes several tiles."""
    data = tiny_codec.encode(drawn_picture(170, 190, 70), 80)
    x, y, width, height = region
    for levels in (1, None):
        whole = tiny_codec.decode_array(data, levels).astype(int)[y : y + height, x : x + width]
        for core in (1536, 64):
            codec = Codec(tiny_path, tiling=Tiling(core, 64))
            part = codec.decode_array(data, levels, region=region)
            assert part.shape == (height, width, 3)
            assert np.abs(part - whole).max() <= 1


def test_a_region_depends_on_its_surroundings_only(tiny_path: Path, drawn_picture: Draw) -> None:
    """Indices beyond the margin and the cells that it touches may be any: they are not looked at."""
    codec, random = Codec(tiny_path, tiling=Tiling(64, 64)), np.random.default_rng(0)
    data = codec.encode(drawn_picture(400, 300, 71), 50)
    header, layout = bitstream.read_header(data), codec.info.layout
    others = []
    for plane, level in zip(codec.planes(data), layout, strict=True):
        other = random.integers(level.outputs, size=plane.shape, dtype=np.int32)
        rows, cols = (slice(start // level.cell, -(-stop // level.cell)) for start, stop in ((64, 320), (64, 256)))
        other[rows, cols] = plane[rows, cols]
        others.append(other)
    passes = bitstream.encode_planes(others, layout, header, codec.engine.model.probabilities)
    filters = bitstream.read_stream(data).chunks
    changed = bitstream.write_stream(header, [*passes, *filters])
    one, other = (codec.decode_array(each, region=(150, 200, 10, 20)) for each in (data, changed))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("region", [(-1, 0, 4, 4), (0, 0, 0, 4), (0, 0, 4, 0), (20, 0, 5, 4), (0, 13, 4, 4)])
def test_regions_beyond_the_picture_are_refused(
    tiny_codec: Codec, drawn_picture: Draw, region: tuple[int, int, int, int]
) -> None:
    data = tiny_codec.encode(drawn_picture(16, 24, 1))
    with pytest.raises(ArgumentError, match="region"):
        tiny_codec.decode(data, region=region)


def test_limits_bound_what_a_stream_may_ask_for(tiny_path: Path, tiny_codec: Codec, drawn_picture: Draw) -> None:
    data = tiny_codec.encode(drawn_picture(16, 24, 1))
    for limits in (Limits(max_pixels=16 * 24 - 1), Limits(max_cells=3)):
        with pytest.raises(bitstream.LimitError):
            Codec(tiny_path, limits=limits).decode(data)
    assert Codec(tiny_path, limits=Limits(max_pixels=16 * 24)).decode(data).size == (24, 16)
