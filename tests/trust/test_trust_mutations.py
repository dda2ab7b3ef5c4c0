"""Whatever the bytes are, a reader answers with a typed error or sound planes, and takes little memory for it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from trust_cases import SMALL, STREAMS, flipped, inline_sealed, mutated, read_all, read_inline, resealed

import bitstream
from bitstream import BitstreamError, Chunk, Header, Pass
from ddncodec.codec import Codec

MUTATIONS = 20_000
THROUGH_THE_NETWORK = 150


@pytest.mark.usefixtures("little_memory")
def test_20000_mutations_are_typed_errors_or_whole_streams(tiny_codec: Codec) -> None:
    """Half of them with recomputed checksums, so that the parser sees data that only a forger would send."""
    random = np.random.default_rng(20_000)
    layout, tables = tiny_codec.info.layout, tiny_codec.engine.model.tables
    prefixes = {data[:end] for data in STREAMS.values() for end in bitstream.read_stream(data).ends}
    sources = list(STREAMS.values())
    outcomes: Counter[tuple[bool, bool]] = Counter()
    for number in range(MUTATIONS):
        data, forged = mutated(random, sources[number % len(sources)]), number % 2 == 1
        data = resealed(data) if forged else data
        accepted = read_all(data, layout, tables) is not None
        outcomes[forged, accepted] += 1
        assert forged or not accepted or data in prefixes
    assert outcomes[True, True] > MUTATIONS // 20
    assert outcomes[True, False] > MUTATIONS // 20


@pytest.mark.usefixtures("little_memory")
def test_inline_streams_need_the_right_model_and_a_sound_checksum(tiny_codec: Codec) -> None:
    random = np.random.default_rng(3)
    layout, tables, model = tiny_codec.info.layout, tiny_codec.engine.model.tables, tiny_codec.info.identity
    planes = tiny_codec.planes(STREAMS["v1-odd"])
    header = Header(model, 51, 37, coded=True, lambda_step=99, compact=True)
    data = bitstream.write_stream(header, bitstream.encode_planes(planes, layout, header, tables), inline=True)
    assert inline_sealed(data[:-2], model) == data
    for bit in range(8 * len(data)):
        assert read_inline(flipped(data, bit), model, layout, tables) is None
    forged = [inline_sealed(mutated(random, data[:-2]), model) for _ in range(1000)]
    accepted = [read_inline(each, model, layout, tables) is not None for each in forged]
    assert any(accepted)
    assert not all(accepted)


def test_forged_streams_go_through_the_network_to_a_picture_of_their_size(tiny_codec: Codec) -> None:
    random = np.random.default_rng(150)
    sources = list(STREAMS.values())
    pictures = 0
    while pictures < THROUGH_THE_NETWORK:
        data = resealed(mutated(random, sources[int(random.integers(len(sources)))]))
        try:
            header = bitstream.read_header(data, limits=SMALL)
            if header.width * header.height > 1 << 14:
                continue
            picture = tiny_codec.decode(data)
        except BitstreamError:
            continue
        assert isinstance(picture, Image.Image)
        assert picture.size == (header.width, header.height)
        pictures += 1


payloads = st.binary(max_size=40)
elements = st.lists(
    st.one_of(
        st.builds(Pass, st.integers(1, 6) | st.just((1 << 31) - 1), payloads),
        st.builds(Chunk, st.integers(1, 9) | st.just((1 << 31) - 1), payloads),
    ),
    max_size=6,
)
headers = st.builds(
    Header, st.just(b"\x2f\x17\xe9\xbf\x7f\xaa\xc9\x5f"), st.integers(1, 300), st.integers(1, 300),
    coded=st.booleans(), gray=st.booleans(), lambda_step=st.none() | st.integers(0, 255), compact=st.booleans(),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(header=headers, parts=elements, cut=st.integers(0, 400))
def test_any_sound_framing_around_any_payload(tiny_codec: Codec, header: Header, parts: list, cut: int) -> None:
    try:
        data = bitstream.write_stream(header, parts)
    except bitstream.InvalidArgumentError:
        return
    layout, tables = tiny_codec.info.layout, tiny_codec.engine.model.tables
    read_all(data, layout, tables)
    read_all(data[:cut], layout, tables)


@settings(max_examples=300, deadline=None)
@given(head=st.sampled_from([b"", *(data[:size] for data in STREAMS.values() for size in (3, 4, 12, 15, 20))]),
       tail=st.binary(max_size=80))  # fmt: skip
def test_any_bytes(tiny_codec: Codec, head: bytes, tail: bytes) -> None:
    for data in (head + tail, resealed(head + tail)):
        read_all(data, tiny_codec.info.layout, tiny_codec.engine.model.tables)
