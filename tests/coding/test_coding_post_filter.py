"""The post-filter (FORMAT.md, section 6.4): what it is, that it pays, and where it goes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import bitstream
from bitstream import Chunk, ChunkType, CorruptionError, Header, write_filter_weights
from bitstream.post_filter import ATOMS, MAX_FILTER_WEIGHT, filter_weight_bits
from ddncodec.codec import Codec
from ddncodec.coding import post_filter, tiles
from ddncodec.coding.rate import lambda_of_step
from ddncodec.coding.tiling import Tiling
from ddncodec.placeholder import decode_inline, to_inline

Draw = Callable[[int, int, int], np.ndarray]
ALL = slice(None)
OCTAVES = np.array([0, 0, 2, 4, 5, 7, 8, 4, 7, 8, 4, 6, 8, 3, 6, 7, 0, 3, 4, 4, 6, 7, 0, 3, 5, 5, 4, 4])
"""As the table in FORMAT.md has them."""


def header_of(codec: Codec, picture: np.ndarray, step: int = 100) -> Header:
    return Header(codec.info.identity, picture.shape[1], picture.shape[0], coded=True, lambda_step=step)


def samples(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture / 127.5 - 1).permute(2, 0, 1).float()


def reference(picture: np.ndarray, weights: np.ndarray, price: float) -> np.ndarray:
    """FORMAT.md, section 6.4, word by word: a picture (H, W, 3) in 0..255, corrected."""
    height, width = picture.shape[:2]
    red, green, blue = np.moveaxis(np.clip(picture / 127.5 - 1, -1, 1), 2, 0)
    y = [(red + green + blue) / 3**0.5, (red - blue) / 2**0.5, (2 * green - red - blue) / 6**0.5]

    def details(plane: np.ndarray) -> list[np.ndarray]:
        smooth = [np.pad(plane, 15, mode="edge")]
        for scale in range(4):
            distance, plane = 1 << scale, smooth[-1]
            around = np.pad(plane, distance, mode="edge")
            here = {i: np.roll(around, -i, 0)[: plane.shape[0]] for i in (0, distance, 2 * distance)}
            rows = (here[0] + 2 * here[distance] + here[2 * distance]) / 4
            here = {i: np.roll(rows, -i, 1)[:, : plane.shape[1]] for i in (0, distance, 2 * distance)}
            smooth.append((here[0] + 2 * here[distance] + here[2 * distance]) / 4)
        inner = [each[15:-15, 15:-15] for each in smooth]
        return [fine - coarse for fine, coarse in zip(inner, inner[1:])]

    bands = [details(plane) for plane in y]
    atoms = [np.ones_like(red), *y, *(bands[i][j] for j in range(4) for i in range(3))]
    atoms += [y[0] * y[0], y[0] * y[1], y[0] * y[2], y[1] * y[1], y[1] * y[2], y[2] * y[2]]
    atoms += [y[0] * y[0] * each for each in y] + [y[0] * bands[0][j] for j in range(3)]
    unit = math.sqrt(12 * price / (width * height))
    change = np.einsum("ik,khw->ihw", weights * 2.0**OCTAVES * unit, np.stack(atoms))
    gray, first, second = change[0] / 3**0.5, change[1] / 2**0.5, change[2] / 6**0.5
    changes = np.stack([gray + first - second, gray + 2 * second, gray - first - second], axis=2)
    return picture + changes


def test_the_specification_lists_these_atoms_and_octaves() -> None:
    text = (Path(bitstream.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
    lines = text[text.index("| atoms | e |") :].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
    entries = [(row[column], row[column + 1]) for column in (0, 2) for row in rows if row[column]]
    names = [name for names, _ in entries for name in names.split(", ")]
    bands = [f"d{i}[{j}]" for j in range(4) for i in range(3)]
    assert names == [
        "1", "y0", "y1", "y2", *bands, "y0 y0", "y0 y1", "y0 y2", "y1 y1", "y1 y2", "y2 y2",
        "y0 y0 y0", "y0 y0 y1", "y0 y0 y2", "y0 d0[0]", "y0 d0[1]", "y0 d0[2]",
    ]  # fmt: skip
    assert [int(octave) for _, octaves in entries for octave in octaves.split()] == list(OCTAVES)


@pytest.mark.parametrize(("height", "width"), [(70, 40), (1, 1), (5, 129)])
def test_the_correction_is_that_of_the_specification(
    tiny_codec: Codec, drawn_picture: Draw, height: int, width: int
) -> None:
    picture = drawn_picture(height, width, 7)
    header = header_of(tiny_codec, picture, 60)
    weights = np.random.default_rng(0).integers(-5, 6, (3, ATOMS))
    corrected = post_filter.post_filter(weights, header, torch.device("cpu")).apply(samples(picture))
    expected = reference(picture.astype(float), weights, lambda_of_step(60))
    assert np.abs(expected - picture).max() > 1
    np.testing.assert_allclose((corrected.permute(1, 2, 0).numpy() + 1) * 127.5, expected, atol=0.01)


def test_moments_predict_what_weights_do(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture, original = drawn_picture(90, 70, 1), drawn_picture(90, 70, 2)
    header = header_of(tiny_codec, picture)
    rows, cols = slice(10, 81), slice(3, 60)
    sums = post_filter.moments(samples(picture), samples(original), rows, cols)
    weights = np.random.default_rng(1).integers(-3, 4, (3, ATOMS))
    corrected = post_filter.post_filter(weights, header, torch.device("cpu")).apply(samples(picture))
    errors = [((each - samples(original))[:, rows, cols] * 127.5).square() for each in (samples(picture), corrected)]
    before, after = (each.sum().item() for each in errors)
    scaled = weights * post_filter.weight_scale(header)
    predicted = sum(scaled[i] @ (sums.gram @ scaled[i] - 2 * sums.right[:, i]) for i in range(3))
    assert after - before == pytest.approx(predicted, rel=1e-3)


def test_moments_of_parts_add_up(drawn_picture: Draw) -> None:
    picture, original = samples(drawn_picture(150, 70, 1)), samples(drawn_picture(150, 70, 2))
    whole = post_filter.moments(picture, original, ALL, ALL)
    parts = [post_filter.moments(picture, original, rows, ALL) for rows in (slice(0, 37), slice(37, 150))]
    np.testing.assert_allclose((parts[0] + parts[1]).gram, whole.gram, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose((parts[0] + parts[1]).right, whole.right, rtol=1e-4, atol=1)


def test_a_distortion_that_atoms_describe_is_undone(tiny_codec: Codec, drawn_picture: Draw) -> None:
    original = drawn_picture(120, 100, 3).astype(float) * 0.6 + 40
    dull = original * 0.9 + np.array([3.0, -2.0, 5.0])
    header = header_of(tiny_codec, dull, 16)
    weights = post_filter.fit(post_filter.moments(samples(dull), samples(original), ALL, ALL), header)
    assert weights is not None
    corrected = post_filter.post_filter(weights, header, torch.device("cpu")).apply(samples(dull))
    left = np.abs((corrected.permute(1, 2, 0).numpy() + 1) * 127.5 - original)
    assert left.max() < 1.5 < np.abs(dull - original).max()
    assert np.count_nonzero(weights) < 3 * ATOMS / 2


def test_nothing_is_sent_where_nothing_pays(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture = samples(drawn_picture(64, 64, 4))
    noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(0)) / 30
    header = header_of(tiny_codec, drawn_picture(64, 64, 4), 150)
    assert post_filter.fit(post_filter.moments(picture, picture, ALL, ALL), header) is None
    assert post_filter.fit(post_filter.moments(picture, (picture + noise).clamp(-1, 1), ALL, ALL), header) is None


def test_flat_pictures_have_a_fit(tiny_codec: Codec) -> None:
    black, gray = torch.full((3, 40, 40), -1.0), torch.full((3, 40, 40), -0.8)
    header = header_of(tiny_codec, np.empty((40, 40)), 50)
    weights = post_filter.fit(post_filter.moments(black, gray, ALL, ALL), header)
    assert weights is not None
    found = post_filter.post_filter(weights, header, torch.device("cpu")).apply(black)
    assert (found - gray).abs().max() * 127.5 < 1


def test_weights_stay_within_what_a_chunk_holds(tiny_codec: Codec) -> None:
    weak = torch.linspace(-1e-5, 1e-5, 64 * 64).view(64, 64).expand(3, -1, -1)
    header = header_of(tiny_codec, np.empty((64, 64)), 0)
    weights = post_filter.fit(post_filter.moments(weak, weak * 1e5, ALL, ALL), header)
    assert weights is not None
    assert np.abs(weights).max() == MAX_FILTER_WEIGHT
    np.testing.assert_array_equal(bitstream.read_filter_weights(write_filter_weights(weights), 3), weights)


@pytest.mark.parametrize("gray", [False, True])
def test_encoding_gains_more_than_the_chunk_costs(tiny_codec: Codec, drawn_picture: Draw, gray: bool) -> None:
    picture = drawn_picture(150, 170, 3)
    picture = picture[..., 1] if gray else picture
    data = tiny_codec.encode(picture, 70)
    stream = bitstream.read_stream(data)
    (chunk,) = stream.chunks
    assert chunk.type == ChunkType.POST_FILTER and isinstance(stream.elements[-2], bitstream.Pass)
    bare = bitstream.write_stream(stream.header, stream.passes)
    errors = [np.square(tiny_codec.decode_array(each).astype(float) - picture).sum() for each in (data, bare)]
    saved = (errors[1] - errors[0]) * (3 if gray else 1)
    assert stream.header.rate_lambda is not None
    assert saved > stream.header.rate_lambda * 8 * (len(data) - len(bare)) > 0


def test_previews_and_prefixes_are_not_filtered(tiny_codec: Codec, drawn_picture: Draw) -> None:
    data = tiny_codec.encode(drawn_picture(150, 170, 3), 70)
    stream, levels = bitstream.read_stream(data), len(tiny_codec.info.layout)
    bare = bitstream.write_stream(stream.header, stream.passes)
    for number in range(1, levels):
        np.testing.assert_array_equal(tiny_codec.decode_array(data, number), tiny_codec.decode_array(bare, number))
    assert (tiny_codec.decode_array(data, levels) != tiny_codec.decode_array(bare, levels)).any()
    *_, before, last = tiny_codec.decode_progressive(data)
    np.testing.assert_array_equal(np.asarray(before), tiny_codec.decode_array(bare, levels - 1))
    np.testing.assert_array_equal(np.asarray(last), tiny_codec.decode_array(data))
    np.testing.assert_array_equal(np.asarray(tiny_codec.decode(data[:-3], allow_partial=True)), tiny_codec.decode(bare))
    assert bitstream.truncate(data, max_bytes=len(data) - 1) == bare


def test_truncation_keeps_the_filter_and_drops_metadata(tiny_codec: Codec, drawn_picture: Draw) -> None:
    data = tiny_codec.encode(drawn_picture(150, 170, 3), 70)
    stream = bitstream.read_stream(data)
    longer = bitstream.write_stream(stream.header, [*stream.elements, Chunk(ChunkType.XMP, b"<x/>")])
    assert bitstream.truncate(longer, max_bytes=len(longer) - 1) == data


@pytest.mark.parametrize("batch", [False, True])
def test_tiles_regions_and_batches_are_filtered_alike(
    tiny_path: Path, tiny_codec: Codec, drawn_picture: Draw, batch: bool
) -> None:
    pictures = [drawn_picture(230, 300, seed) for seed in (3, 4)]
    datas = tiny_codec.encode_batch(pictures, 70) if batch else [tiny_codec.encode(each, 70) for each in pictures]
    whole = [tiny_codec.decode_array(data).astype(int) for data in datas]
    assert all(ChunkType.POST_FILTER in [chunk.type for chunk in bitstream.read_stream(data).chunks] for data in datas)
    for one, together in zip(whole, tiny_codec.decode_batch(datas)):
        assert np.abs(one - np.asarray(together)).max() <= 1
    cutting = Codec(tiny_path, tiling=Tiling(64, 64))
    for data, picture in zip(datas, whole):
        assert np.abs(cutting.decode_array(data) - picture).max() <= 1
        part = cutting.decode_array(data, region=(50, 77, 90, 60)).astype(int)
        assert np.abs(part - picture[77:137, 50:140]).max() <= 1
    tiled = cutting.encode(pictures[0], 70)
    assert bitstream.read_stream(tiled).chunks
    errors = [np.square(each.astype(float) - pictures[0]).sum() for each in (cutting.decode_array(tiled), whole[0])]
    assert errors[0] < 1.02 * errors[1]


def test_choices_have_ever_smaller_filters(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture = drawn_picture(150, 170, 3)
    found = list(tiles.choices(tiny_codec.engine, picture, header_of(tiny_codec, picture, 90), lambda_of_step(90)))
    bits = [0 if each.weights is None else int(filter_weight_bits(each.weights).sum()) for each in found]
    assert bits == sorted(bits, reverse=True) and bits[0] > bits[-1] == 0 and len(set(bits)) > 2
    assert all(map(np.array_equal, found[0].planes, found[-1].planes))


def test_inline_streams_have_none(tiny_codec: Codec, drawn_picture: Draw) -> None:
    data = tiny_codec.encode(drawn_picture(64, 64, 3), 90)
    stream = bitstream.read_stream(data)
    bare = tiny_codec.decode_array(bitstream.write_stream(stream.header, stream.passes))
    np.testing.assert_array_equal(np.asarray(decode_inline(tiny_codec, to_inline(tiny_codec, data))), bare)
    assert (bare != tiny_codec.decode_array(data)).any()


def test_absurd_weights_decode_to_a_picture(tiny_codec: Codec, drawn_picture: Draw) -> None:
    stream = bitstream.read_stream(tiny_codec.encode(drawn_picture(64, 64, 3), 90))
    for sign in (1, -1):
        payload = write_filter_weights(np.full((3, ATOMS), sign * MAX_FILTER_WEIGHT))
        chunk = Chunk(ChunkType.POST_FILTER, payload)
        picture = tiny_codec.decode_array(bitstream.write_stream(stream.header, [*stream.passes, chunk]))
        assert picture.shape == (64, 64, 3)


@pytest.mark.parametrize("payload", [b"", b"\xff", bytes(100), b"\xff" * 2000])
def test_a_damaged_filter_is_a_typed_error(tiny_codec: Codec, drawn_picture: Draw, payload: bytes) -> None:
    stream = bitstream.read_stream(tiny_codec.encode(drawn_picture(64, 64, 3), 90))
    data = bitstream.write_stream(stream.header, [*stream.passes, Chunk(ChunkType.POST_FILTER, payload)])
    with pytest.raises(CorruptionError, match="post-filter"):
        tiny_codec.decode(data)


def test_a_filter_without_lambda_is_a_typed_error(tiny_codec: Codec, drawn_picture: Draw) -> None:
    stream = bitstream.read_stream(tiny_codec.encode(drawn_picture(64, 64, 3), 90, "plain"))
    header = dataclasses.replace(stream.header, lambda_step=None)
    assert tiny_codec.decode(bitstream.write_stream(header, stream.passes)).size == (64, 64)
    with pytest.raises(CorruptionError, match="without lambda step"):
        tiny_codec.decode(bitstream.write_stream(header, stream.elements))
