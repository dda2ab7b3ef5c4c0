"""The ladder of efforts: what higher ones find costs less, decodes like any other, and obeys what is fixed."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

import bitstream
from bitstream import Header, Planes
from ddncodec.codec import Codec
from ddncodec.coding.effort import EFFORTS, Effort, effort_of
from ddncodec.coding.encoder import encode
from ddncodec.coding.rate import lambda_of_step

Draw = Callable[[int, int, int], np.ndarray]
STEP = 150


def cost(codec: Codec, picture: np.ndarray, planes: Planes, header: Header) -> float:
    """Squared error plus lambda times the bits of the passes."""
    engine = codec.engine
    error = np.square(engine.replay([planes], [header])[0].astype(float) - picture).sum()
    passes = bitstream.encode_planes(planes, codec.info.layout, header, engine.model.probabilities)
    return float(error + lambda_of_step(STEP) * 8 * sum(len(each.payload) for each in passes))


def header_of(codec: Codec, picture: np.ndarray) -> Header:
    return Header(codec.info.identity, picture.shape[1], picture.shape[0], coded=True, lambda_step=STEP)


def differing(one: Planes, other: Planes) -> int:
    """The number of cells in which planes differ."""
    return sum(int((a != b).sum()) for a, b in zip(one, other, strict=True))


def total(codec: Codec, pictures: list[np.ndarray], effort: Effort) -> float:
    costs = []
    for picture in pictures:
        header = header_of(codec, picture)
        planes = encode(codec.engine, picture[None], [header], effort=effort)[0].planes
        costs.append(cost(codec, picture, planes, header))
    return sum(costs)


def test_more_effort_finds_cheaper_indices(tiny_codec: Codec, drawn_picture: Draw) -> None:
    pictures = [drawn_picture(96, 112, seed) for seed in range(4)]
    greedy, middle, most = (total(tiny_codec, pictures, effort_of(number)) for number in (1, 4, 9))
    assert most < middle < greedy
    assert most < 0.995 * greedy


def test_one_try_is_greedy_however_far_it_looks(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture = drawn_picture(48, 64, 1)
    header = header_of(tiny_codec, picture)
    greedy, deep = (
        encode(tiny_codec.engine, picture[None], [header], effort=effort)[0].planes
        for effort in (EFFORTS[0], Effort(tries=(1, 1, 1), depth=2, groups=1, beam=1))
    )
    assert all(np.array_equal(one, other) for one, other in zip(greedy, deep, strict=True))


def test_pictures_of_a_batch_get_what_they_get_alone(tiny_codec: Codec, drawn_picture: Draw) -> None:
    pictures = [drawn_picture(50, 70, seed) for seed in range(3)]
    together = tiny_codec.encode_batch(pictures, 60, effort=4)
    assert together == [tiny_codec.encode(picture, 60, effort=4) for picture in pictures]


def test_what_is_fixed_stays(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture, random = drawn_picture(40, 50, 6), np.random.default_rng(0)
    header = header_of(tiny_codec, picture)
    given = [
        random.integers(-1, level.outputs, bitstream.grid(level, 50, 40)).astype(np.int32)
        for level in tiny_codec.info.layout
    ]
    planes = encode(tiny_codec.engine, picture[None], [header], [given], effort=EFFORTS[-1])[0].planes
    for plane, fixed in zip(planes, given, strict=True):
        np.testing.assert_array_equal(plane[fixed >= 0], fixed[fixed >= 0])
        assert plane.min() >= 0


def test_the_more_caution_the_nearer_to_greedy(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture = drawn_picture(96, 112, 2)
    header = header_of(tiny_codec, picture)

    def planes_of(effort: Effort) -> Planes:
        return encode(tiny_codec.engine, picture[None], [header], effort=effort)[0].planes

    greedy = planes_of(EFFORTS[0])
    bold, usual, timid = (planes_of(dataclasses.replace(EFFORTS[8], caution=bits)) for bits in (0, 4, math.inf))
    assert differing(timid, greedy) == 0 < differing(usual, greedy) < differing(bold, greedy)
