"""FORMAT.md tells the truth: its hex dumps are real streams, and its numbers are the code's."""

import re
from pathlib import Path

import numpy as np

import bitstream
from bitstream import (
    Chunk,
    Header,
    Level,
    LevelTables,
    Limits,
    context,
    decode_planes,
    encode_planes,
    read_stream,
    tables,
    write_stream,
)

TEXT = (Path(bitstream.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
LINE = re.compile(r"^    ([0-9a-f]{2})  ((?:[0-9a-f]{2} )+) +(\S.*)$")

LAYOUT = (Level(0, 4), Level(8, 4), Level(8, 3))
PLANES = [np.array([[3]]), np.array([[0, 2]]), np.array([[1, 0]])]
MODEL = bytes.fromhex("0123456789abcdef")


def dumps() -> list[bytes]:
    """The hex dumps of the text; each line's offset must be where the line before ended."""
    found: list[bytes] = []
    for line in TEXT.splitlines():
        if match := LINE.match(line):
            offset, data = int(match[1], 16), bytes.fromhex(match[2])
            if offset == 0:
                found.append(b"")
            assert offset == len(found[-1]), line
            found[-1] += data
    return found


def test_the_dumps_are_what_the_writer_writes() -> None:
    framed, inline = dumps()
    header = Header(MODEL, 16, 8, gray=True, lambda_step=96)
    passes = encode_planes(PLANES, LAYOUT, header, passes=(1, 2))
    assert write_stream(header, [Chunk(7, b"note"), *passes]) == framed
    tables = [LevelTables.flat(level.outputs) for level in LAYOUT]
    header = Header(MODEL, 16, 8, coded=True, compact=True, lambda_step=96)
    assert write_stream(header, encode_planes(PLANES, LAYOUT, header, tables), inline=True) == inline


def test_the_dumps_read_back() -> None:
    framed, inline = dumps()
    tables = [LevelTables.flat(level.outputs) for level in LAYOUT]
    for stream in (read_stream(framed), read_stream(inline, inline=MODEL)):
        found = decode_planes(stream, LAYOUT, tables)
        assert [p.tolist() for p in found] == [p.tolist() for p in PLANES]


def test_every_element_of_the_dump_is_annotated_with_its_value() -> None:
    for note in ("width 16", "height 8", "lambda step 96", "chunk of type 7", "pass of 2 levels"):
        assert note in TEXT


def test_the_numbers_of_the_text_are_those_of_the_code() -> None:
    limits = Limits()
    assert f"default limit 2^{limits.max_pixels.bit_length() - 1}" in TEXT
    assert f"default limit 2^{limits.max_cells.bit_length() - 1}" in TEXT
    assert f"default limit 2^{limits.max_elements.bit_length() - 1}" in TEXT
    assert f"1..{bitstream.MAX_SIDE} pixels" in TEXT
    assert f"(2 x {tables.SCORE_BINS}, each" in TEXT
    assert f"({tables.LAMBDA_BUCKETS} x (K - 1), each" in TEXT
    assert f">> {tables.SCORE_SHIFT}) + {tables.SCORE_BINS // 2}, 0, {tables.SCORE_BINS - 1})" in TEXT
    assert f"`weights` ({context.FEATURES} and a bias" in TEXT
    assert f"at most {context.COUNT_CAP}" in TEXT
    assert f"format version {bitstream.VERSION}" in TEXT
