"""Index planes survive, plain and coded; sizes, prefixes and limits are what FORMAT.md says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from bitstream_cases import LAYOUT, MODEL, random_layout, random_planes, random_tables, same
from hypothesis import given, settings
from hypothesis import strategies as st

from bitstream import (
    CorruptionError,
    Header,
    InvalidArgumentError,
    Level,
    LevelTables,
    LimitError,
    Limits,
    Pass,
    check_layout,
    count_cells,
    decode_planes,
    encode_planes,
    grid,
    group_levels,
    read_stream,
    write_stream,
)

PLAIN = Header(MODEL, 40, 24)
CODED = Header(MODEL, 40, 24, coded=True)


def planes_of(layout: tuple[Level, ...], seed: int = 0) -> list[np.ndarray]:
    return random_planes(np.random.default_rng(seed), layout, 40, 24)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    levels=st.integers(1, 6),
    width=st.integers(1, 130),
    height=st.integers(1, 130),
    coded=st.booleans(),
    compact=st.booleans(),
    step=st.none() | st.integers(0, 255),
    keep=st.sampled_from([0.0, 0.6, 1.0]),
)
def test_planes_survive(
    seed: int,
    levels: int,
    width: int,
    height: int,
    coded: bool,
    compact: bool,
    step: int | None,
    keep: float,
) -> None:
    rng = np.random.default_rng(seed)
    layout = random_layout(rng, levels)
    planes = random_planes(rng, layout, width, height, keep)
    tables = random_tables(rng, layout) if coded else None
    header = Header(MODEL, width, height, coded=coded, compact=compact, lambda_step=step)
    passes = None if compact or seed % 2 else (1,) * levels
    elements = encode_planes(planes, layout, header, tables, passes)
    stream = read_stream(write_stream(header, elements))
    assert same(decode_planes(stream, layout, tables), planes)
    count = int(rng.integers(0, levels + 1))
    assert same(decode_planes(stream, layout, tables, count), planes[:count])


def test_face_is_exactly_144_bytes() -> None:
    """The paper's latent: 128 levels of 512 outputs, one index each, 1152 bits."""
    layout = (Level(0, 512),) * 128
    header = Header(MODEL, 64, 64, compact=True)
    planes = random_planes(np.random.default_rng(0), layout, 64, 64, keep=0)
    (only,) = encode_planes(planes, layout, header)
    assert len(only.payload) == 144
    stream = read_stream(write_stream(header, [only]))
    assert same(decode_planes(stream, layout), planes)


@pytest.mark.parametrize(("outputs", "bits"), [(2, 1), (3, 2), (4, 2), (5, 3), (512, 9), (65536, 16)])
def test_plain_size_is_cells_times_index_bits(outputs: int, bits: int) -> None:
    layout = (Level(8, outputs),) * 3
    (only,) = encode_planes(planes_of(layout), layout, PLAIN, passes=(3,))
    assert len(only.payload) == -(-3 * 15 * bits // 8)


def test_all_keep_costs_next_to_nothing_when_it_is_likely() -> None:
    tables = [dataclasses.replace(LevelTables.flat(level.outputs), p_nonzero=np.full((2, 128), 1)) for level in LAYOUT]
    planes = [np.zeros_like(plane) for plane in planes_of(LAYOUT)]
    (only,) = encode_planes(planes, LAYOUT, CODED, tables, (5,))
    assert only.payload == b""


def test_smoothness_of_nonzero_pays() -> None:
    """Tables that believe neighbours beat flat ones on a picture with one busy corner."""
    layout = (Level(4, 2),)
    header = Header(MODEL, 256, 256, coded=True)
    plane = np.zeros((64, 64), np.int32)
    plane[44:, 34:] = 1
    flat = LevelTables.flat(2)
    logits = (np.arange(128) - 64) / 8
    likely = np.clip(65536 / (1 + np.exp(-logits)), 1, 65535).astype(np.int32)
    weights = np.array([0, 0, 0, 0, 0, 0, 0, 700, 700, 0, -1400])
    fond = LevelTables(weights, np.stack([flat.p_nonzero[0], likely]), flat.values)
    sizes = [len(encode_planes([plane], layout, header, [t])[0].payload) for t in (flat, fond)]
    assert sizes[1] < 0.6 * sizes[0]


def test_coded_planes_need_tables_that_fit() -> None:
    tables = [LevelTables.flat(level.outputs) for level in LAYOUT]
    planes = planes_of(LAYOUT)
    stream = read_stream(write_stream(CODED, encode_planes(planes, LAYOUT, CODED, tables)))
    for bad in (None, tables[:-1], tables[::-1]):
        with pytest.raises(InvalidArgumentError, match="probabilities"):
            encode_planes(planes, LAYOUT, CODED, bad)
        with pytest.raises(InvalidArgumentError, match="probabilities"):
            decode_planes(stream, LAYOUT, bad)


def test_planes_that_do_not_fit_are_refused() -> None:
    planes = planes_of(LAYOUT)
    bad: list[tuple[list[np.ndarray], str]] = [
        ([], "got 0 planes"),
        ([*planes, planes[-1]], "got 6 planes"),
        ([planes[0], planes[1].T], "planes.1.. is int32 .3, 2."),
        ([planes[0].astype(np.float32)], "float32"),
        ([planes[0] * 0 + 5], "within 0..4"),
        ([planes[0] * 0 - 1], "within 0..4"),
    ]
    for wrong, match in bad:
        with pytest.raises(InvalidArgumentError, match=match):
            encode_planes(wrong, LAYOUT, PLAIN)
    for passes in ((), (5, 1), (4,), (0, 5), (6, -1)):
        with pytest.raises(InvalidArgumentError, match="passes"):
            encode_planes(planes, LAYOUT, PLAIN, passes=passes)
    compact = dataclasses.replace(PLAIN, compact=True)
    with pytest.raises(InvalidArgumentError, match="one pass of all 5 levels"):
        encode_planes(planes[:4], LAYOUT, compact)
    with pytest.raises(InvalidArgumentError, match="one pass of all 5 levels"):
        encode_planes(planes, LAYOUT, compact, passes=(2, 3))


@pytest.mark.parametrize("cells", [(8, 16), (8, 0), (12, 8), (0, 16, 16, 6)], ids=["grows", "whole", "12/8", "16/6"])
def test_layouts_must_nest(cells: tuple[int, ...]) -> None:
    with pytest.raises(InvalidArgumentError, match="must divide"):
        check_layout(tuple(Level(cell, 4) for cell in cells))
    with pytest.raises(InvalidArgumentError, match="0 levels"):
        check_layout(())


@pytest.mark.parametrize(("cell", "outputs"), [(-1, 4), (8, 1), (8, 65537)])
def test_impossible_levels_are_refused(cell: int, outputs: int) -> None:
    with pytest.raises(InvalidArgumentError, match="must be"):
        Level(cell, outputs)


def test_grids_round_up() -> None:
    assert grid(Level(0, 4), 1000, 1) == (1, 1)
    assert grid(Level(8, 4), 17, 8) == (1, 3)
    assert count_cells((Level(0, 4), Level(8, 4)), 17, 8) == 4


def test_more_levels_than_the_model_has_are_corrupt() -> None:
    stream = read_stream(write_stream(PLAIN, [Pass(3, b""), Pass(3, b"")]))
    with pytest.raises(CorruptionError, match="6 levels, its model has 5"):
        decode_planes(stream, LAYOUT)


@pytest.mark.parametrize(
    ("payload", "match"),
    [
        (b"", "has 0 bytes, its indices need 1"),
        (b"\x00\x00", "has 2 bytes"),
        (b"\x01", "padding"),
        (b"\xc0", "index 3 must be below 3"),
    ],
)
def test_plain_payloads_are_checked(payload: bytes, match: str) -> None:
    stream = read_stream(write_stream(PLAIN, [Pass(1, payload)]))
    with pytest.raises(CorruptionError, match=match):
        decode_planes(stream, (Level(0, 3),))


@pytest.mark.parametrize("header", [PLAIN, CODED])
def test_cell_limit_is_checked_for_the_wanted_levels(header: Header) -> None:
    tables = [LevelTables.flat(level.outputs) for level in LAYOUT]
    planes = planes_of(LAYOUT)
    elements = encode_planes(planes, LAYOUT, header, tables, (1,) * 5)
    stream = read_stream(write_stream(header, elements))
    limits = Limits(max_cells=count_cells(LAYOUT[:3], 40, 24))
    assert same(decode_planes(stream, LAYOUT, tables, 3, limits=limits), planes[:3])
    with pytest.raises(LimitError, match="max_cells"):
        decode_planes(stream, LAYOUT, tables, 4, limits=limits)
    with pytest.raises(InvalidArgumentError, match="levels"):
        decode_planes(stream, LAYOUT, tables, -1)


def test_groups_keep_framing_near_one_percent() -> None:
    rng = np.random.default_rng(3)
    layout = (
        *(Level(64, 128),) * 2,
        *(Level(32, 256),) * 5,
        *(Level(16, 256),) * 6,
        *(Level(8, 256),) * 6,
    )
    for side in (64, 128, 256, 512, 1024):
        header = Header(MODEL, side, side)
        planes = random_planes(rng, layout, side, side)
        groups = group_levels(planes, layout, coded=False)
        passes = encode_planes(planes, layout, header)
        payload = sum(len(p.payload) for p in passes)
        framing = len(write_stream(header, passes)) - payload - 16
        assert tuple(p.levels for p in passes) == groups
        assert sum(groups) == len(layout)
        assert framing <= max(7, 0.012 * payload)
    assert groups[-6:] == (1,) * 6


def test_grouping_handles_pictures_that_keep_everything() -> None:
    planes = [np.zeros_like(plane) for plane in planes_of(LAYOUT)]
    assert group_levels(planes, LAYOUT) == (5,)
