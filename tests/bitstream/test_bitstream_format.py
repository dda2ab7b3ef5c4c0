"""FORMAT.md is right: its hex dumps are real streams, their notes are true, its numbers are those of the code."""

from __future__ import annotations

import binascii
import contextlib
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import bitstream
from bitstream import (
    Chunk,
    ChunkPlace,
    ChunkType,
    Header,
    Level,
    LevelTables,
    Limits,
    Pass,
    context,
    decode_planes,
    encode_planes,
    read_header,
    read_stream,
    tables,
    write_stream,
)
from bitstream.post_filter import ATOMS
from bitstream.prior import LevelPrior
from bitstream.reader import Reader

TEXT = (Path(bitstream.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
DUMP_LINE = re.compile(r"^    ([0-9a-f]{2})  ((?:[0-9a-f]{2} )+) +(\S.*)$")

LAYOUT = (Level(0, 4), Level(8, 4), Level(8, 3))
PLANES = [np.array([[3]]), np.array([[0, 2]]), np.array([[1, 0]])]
MODEL = bytes.fromhex("0123456789abcdef")
FLAT = [LevelTables.flat(level.outputs) for level in LAYOUT]


@dataclass(frozen=True)
class Line:
    """A line of a hex dump: its bytes within the whole dump, and the note that explains them."""

    dump: bytes
    start: int
    end: int
    note: str

    @property
    def bytes(self) -> bytes:
        return self.dump[self.start : self.end]


def dumps() -> list[list[Line]]:
    """The lines of each hex dump; each offset must be where the line before ended."""
    found: list[list[tuple[int, bytes, str]]] = []
    for match in filter(None, map(DUMP_LINE.match, TEXT.splitlines())):
        offset, data = int(match[1], 16), bytes.fromhex(match[2])
        if offset == 0:
            found.append([])
        assert offset == sum(len(each) for _, each, _ in found[-1]), match[0]
        found[-1].append((offset, data, match[3]))
    wholes = [b"".join(data for _, data, _ in dump) for dump in found]
    return [[Line(whole, at, at + len(data), note) for at, data, note in dump] for whole, dump in zip(wholes, found)]


FRAMED, INLINE = dumps()


def test_the_dumps_are_what_the_writer_writes() -> None:
    header = Header(MODEL, 16, 8, gray=True, lambda_step=96)
    passes = encode_planes(PLANES, LAYOUT, header, passes=(1, 2))
    assert write_stream(header, [Chunk(7, b"note"), *passes]) == FRAMED[0].dump
    header = Header(MODEL, 16, 8, coded=True, compact=True, lambda_step=96)
    assert write_stream(header, encode_planes(PLANES, LAYOUT, header, FLAT), inline=True) == INLINE[0].dump


def test_the_dumps_read_back() -> None:
    for stream in (read_stream(FRAMED[0].dump), read_stream(INLINE[0].dump, inline=MODEL)):
        found = decode_planes(stream, LAYOUT, FLAT)
        assert [p.tolist() for p in found] == [p.tolist() for p in PLANES]


def covered(dump: bytes, ranges: str) -> bytes:
    """The bytes that a note names: ranges of offsets like 00..14 and hexadecimal bytes, joined by "and"."""
    out = b""
    for part in ranges.split(" and "):
        first, dots, last = part.partition("..")
        out += dump[int(first, 16) : int(last, 16) + 1] if dots else bytes.fromhex(part)
    return out


def flags_are(line: Line, bits: str, names: str) -> bool:
    fields = ("reserved", "compact", "lambda", "gray", "coded")
    *values, version = bits.split()
    said = [field for field, value in zip(fields, values, strict=True) if value == "1"]
    whole = int(bits.replace(" ", ""), 2) == line.bytes[0]
    return whole and f"{', '.join([*said, f'version {int(version, 2)}'])}" == names


def tag_is(line: Line, tag: str, element: str) -> bool:
    number = int(tag) >> 1
    names = {f"chunk of type {number}"} if int(tag) & 1 else {f"pass of {number} level{'s' * (number > 1)}"}
    return varint(line) == int(tag) and element in names


def fields_are(line: Line, bits: str, names: str) -> bool:
    groups = bits.split()
    said = [f"index {int(group, 2)}" for group in groups]
    if names.endswith("padding"):
        said[-1] = "padding" if int(groups[-1], 2) == 0 else "not zero"
    return (
        f"{int.from_bytes(line.bytes, 'big'):0{8 * len(line.bytes)}b}" == "".join(groups) and names.split(", ") == said
    )


def header_of(line: Line) -> Header:
    return read_header(line.dump, inline=None if line.dump.startswith(bitstream.SIGNATURE) else MODEL)


def varint(line: Line) -> int:
    reader = Reader(line.bytes)
    value = reader.varint("field")
    assert reader.left == 0
    return value


def little(line: Line) -> int:
    return int.from_bytes(line.bytes, "little")


NOTES: dict[str, Callable[..., bool]] = {
    r"signature": lambda line: line.bytes == bitstream.SIGNATURE,
    r"flags ((?:[01] ){5}[01]{3}): (.*)": flags_are,
    r"model id (\w{16})": lambda line, text: line.bytes == bytes.fromhex(text) == header_of(line).model_id,
    r"width (\d+)": lambda line, text: varint(line) == int(text) == header_of(line).width,
    r"height (\d+)": lambda line, text: varint(line) == int(text) == header_of(line).height,
    r"lambda step (\d+): lambda (\d+)": lambda line, step, value: (
        line.bytes[0] == int(step) == header_of(line).lambda_step and header_of(line).rate_lambda == int(value)
    ),
    r"tag (\d+): (.*)": tag_is,
    r"payload length (\d+)": lambda line, text: varint(line) == int(text),
    r'payload "(.*)"': lambda line, text: line.bytes == text.encode(),
    r"payload ([01 ]+): (.*)": fields_are,
    r"payload, coded": lambda line: line.bytes == read_stream(line.dump, inline=MODEL).passes[0].payload,
    r"CRC-32 of (.*)": lambda line, ranges: little(line) == zlib.crc32(covered(line.dump, ranges)),
    r"CRC-16 of (.*)": lambda line, ranges: little(line) == binascii.crc_hqx(covered(line.dump, ranges), 0),
}
"""Every kind of note, and whether it is true of the bytes of its line."""


@pytest.mark.parametrize("line", [*FRAMED, *INLINE], ids=lambda line: line.note)
def test_every_field_of_the_dumps_is_annotated_with_its_value(line: Line) -> None:
    fitting = [(match, holds) for pattern, holds in NOTES.items() if (match := re.fullmatch(pattern, line.note))]
    assert len(fitting) == 1, "no kind of note, or several"
    match, holds = fitting[0]
    assert holds(line, *match.groups())


def test_every_field_of_the_dumps_has_a_line_of_its_own() -> None:
    header = ["signature", "flags", "model", "width", "height", "lambda"]
    element = ["tag", "payload", "payload", "CRC-32"]
    assert [line.note.split()[0].strip(",") for line in FRAMED] == header + 3 * element
    inline = [*(name for name in header if name not in ("signature", "model")), "payload", "CRC-16"]
    assert [line.note.split()[0].strip(",") for line in INLINE] == inline
    lengths = [
        line.end - line.start for line in FRAMED if line.note.startswith("payload") and "length" not in line.note
    ]
    assert lengths == [varint(line) for line in FRAMED if "length" in line.note]


def test_a_wrong_note_would_be_found() -> None:
    """No note is true any more once a bit of its line is changed."""
    for pattern, holds in NOTES.items():
        lines = [(line, match) for line in [*FRAMED, *INLINE] if (match := re.fullmatch(pattern, line.note))]
        assert lines, pattern
        for line, match in lines:
            changed = bytearray(line.dump)
            changed[line.start] ^= 4
            other = Line(bytes(changed), line.start, line.end, line.note)
            with contextlib.suppress(bitstream.BitstreamError):  # another model, or a checksum that no longer fits
                assert not holds(other, *match.groups()), line.note


def test_the_chunks_of_the_text_are_those_of_the_code() -> None:
    names = {
        ChunkPlace.BEFORE_PASSES: "before the passes",
        ChunkPlace.AFTER_PASSES: "after the passes",
        ChunkPlace.AT_END: "at the end",
    }
    rows = re.findall(r"^\| (\d+) ([A-Z_]+) \| ([a-z ]+) \|", TEXT, re.MULTILINE)
    assert rows == [(str(int(kind)), kind.name, names[kind.place]) for kind in ChunkType]
    assert f"types 1..{max(ChunkType)} MUST NOT occur more than once" in TEXT


def test_the_weights_of_the_prior_are_those_of_the_code() -> None:
    section = TEXT[TEXT.index("### 6.3") : TEXT.index("### 6.4")]
    names = {
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert names == {"start", *LevelPrior.__dataclass_fields__}


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
    assert f"the {ATOMS} atoms" in TEXT
    assert f"format version {bitstream.VERSION}" in TEXT


def test_overheads_are_those_of_the_text() -> None:
    header = Header(MODEL, 127, 127, compact=True)
    assert "16 bytes if both sides are below 128" in TEXT
    assert len(write_stream(header, [Pass(1, b"")])) == 16
    assert "It has 5 bytes in addition to the payload" in TEXT
    assert len(write_stream(header, [Pass(1, b"")], inline=True)) == 5
