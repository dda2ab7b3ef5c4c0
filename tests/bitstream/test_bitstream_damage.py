"""Whatever happens to the bytes, the answer is a typed error or a valid prefix, and cheap."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from bitstream_cases import LAYOUT, MODEL, same, small_stream

from bitstream import (
    BitstreamError,
    Header,
    LevelTables,
    Limits,
    Pass,
    decode_planes,
    describe,
    encode_planes,
    read_stream,
    truncate,
    verify,
    write_stream,
)

MiB = 1 << 20


def compact_stream(inline: bool) -> bytes:
    header = Header(MODEL, 40, 24, compact=True, lambda_step=9)
    planes = [np.zeros((r, c), np.int32) for r, c in ((1, 1), (2, 3), (3, 5), (3, 5), (6, 10))]
    return write_stream(header, encode_planes(planes, LAYOUT, header), inline=inline)


@pytest.mark.parametrize("coded", [False, True])
def test_truncation_gives_an_error_or_a_prefix(coded: bool) -> None:
    data, _, planes, tables = small_stream(coded)
    ends = read_stream(data).ends
    for size in range(len(data)):
        if size in ends[1:]:
            found = decode_planes(read_stream(data[:size]), LAYOUT, tables)
            assert same(found, planes[: len(found)])
        else:
            with pytest.raises(BitstreamError):
                read_stream(data[:size])


@pytest.mark.parametrize("coded", [False, True])
def test_every_flipped_bit_is_noticed(coded: bool) -> None:
    data = small_stream(coded)[0]
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BitstreamError):
            verify(damaged)


@pytest.mark.parametrize("inline", [False, True])
def test_every_flipped_bit_and_cut_of_a_compact_stream_is_noticed(inline: bool) -> None:
    data = compact_stream(inline)
    model = MODEL if inline else None
    verify(data, inline=model)
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BitstreamError):
            verify(damaged, inline=model)
    for size in range(len(data)):
        with pytest.raises(BitstreamError):
            verify(data[:size], inline=model)


def mutated(rng: np.random.Generator, data: bytes) -> bytes:
    """`data` with one to four bytes changed, removed, inserted or moved."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, max(1, len(out))))
        kind = int(rng.integers(0, 4))
        if kind == 0 and out:
            out[min(at, len(out) - 1)] = int(rng.integers(0, 256))
        elif kind == 1:
            del out[at : at + int(rng.integers(1, 9))]
        elif kind == 2:
            out[at:at] = rng.bytes(int(rng.integers(1, 9)))
        else:
            out = out[at:] + out[:at]
    return bytes(out)


def test_2000_mutations_raise_typed_errors_only() -> None:
    rng = np.random.default_rng(2024)
    sources = [small_stream(False)[0], small_stream(True)[0], compact_stream(False)]
    passed = 0
    for number in range(2000):
        source = sources[number % 3]
        damaged = mutated(rng, source)
        for action in (verify, describe, lambda d: truncate(d, max_bytes=60)):
            try:
                action(damaged)
            except BitstreamError:
                continue
            passed += damaged != source and action is verify
    assert passed <= 1  # CRC-16 lets one in 65536 through, CRC-32 none


def test_damaged_payloads_with_sound_checksums_decode_in_range_or_are_corrupt() -> None:
    rng = np.random.default_rng(5)
    for coded in (False, True):
        data, header, _, tables = small_stream(coded)
        passes = read_stream(data).passes
        for _ in range(150):
            hurt = [Pass(p.levels, mutated(rng, p.payload)) for p in passes]
            try:
                planes = decode_planes(read_stream(write_stream(header, hurt)), LAYOUT, tables)
            except BitstreamError:
                continue
            for plane, level in zip(planes, LAYOUT, strict=True):
                assert plane.min() >= 0
                assert plane.max() < level.outputs


@pytest.mark.parametrize("coded", [False, True])
def test_forged_sizes_allocate_nothing(coded: bool) -> None:
    """Huge pictures, lengths and level counts are refused before any memory is taken."""
    tables = [LevelTables.flat(level.outputs) for level in LAYOUT]
    huge = write_stream(Header(MODEL, 16384, 16384, coded=coded), [Pass(5, b"\x01\x02")])
    sides = write_stream(Header(MODEL, 65535, 65535, coded=coded), [Pass(5, b"")])
    length = write_stream(Header(MODEL, 8, 8), [Pass(1, b"")])[:14] + b"\x02\xff\xff\xff\xff\x0f"
    levels = write_stream(Header(MODEL, 8, 8, coded=coded), [Pass((1 << 31) - 1, b"")])
    # A plain payload shows that it is too short; of a coded one only the limit can tell.
    limits = Limits(max_cells=1 << 20) if coded else Limits()
    tracemalloc.start()
    try:
        for data in (huge, sides, length, levels):
            with pytest.raises(BitstreamError):
                decode_planes(read_stream(data), LAYOUT, tables, limits=limits)
        assert tracemalloc.get_traced_memory()[1] < MiB // 4
    finally:
        tracemalloc.stop()
