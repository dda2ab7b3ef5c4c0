"""Pictures to bytes and back: closed loop, sizes, prefixes, rates, other processes, batches and precisions."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bitstream
from bitstream import Header, count_cells
from ddncodec.codec import Codec
from ddncodec.coding.encoder import encode
from ddncodec.errors import ArgumentError, ImageError, ModelError

Draw = Callable[[int, int, int], np.ndarray]
SIZES = [(1, 1), (1, 7), (17, 33), (64, 64), (65, 129)]
PRECISION_TOLERANCE = 4
"""Levels of 255 by which bfloat16 decoding may differ from float32 anywhere, and 0.5 on average (tiny model)."""


def psnr(one: Image.Image | np.ndarray, other: Image.Image | np.ndarray) -> float:
    return 10 * math.log10(255**2 / float(np.mean((np.asarray(one, float) - np.asarray(other, float)) ** 2)))


def difference(one: Image.Image, other: Image.Image) -> int:
    return int(np.abs(np.asarray(one, int) - np.asarray(other, int)).max())


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other))


def pass_per_level(codec: Codec, data: bytes) -> bytes:
    """The same indices with one pass for each level."""
    header, layout, probabilities = bitstream.read_header(data), codec.info.layout, codec.engine.model.probabilities
    passes = bitstream.encode_planes(codec.planes(data), layout, header, probabilities, [1] * len(layout))
    return bitstream.write_stream(header, passes)


@pytest.mark.parametrize("coding", ["coded", "plain"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_any_size_comes_back(tiny_codec: Codec, drawn_picture: Draw, height: int, width: int, coding: str) -> None:
    picture = drawn_picture(height, width, 1)
    decoded = tiny_codec.decode(tiny_codec.encode(picture, 80, coding))
    assert (decoded.mode, decoded.size) == ("RGB", (width, height))
    assert psnr(decoded, picture) > 18


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_gray_comes_back_gray(tiny_codec: Codec, drawn_picture: Draw, height: int, width: int) -> None:
    plane = drawn_picture(height, width, 2)[:, :, 1]
    decoded = tiny_codec.decode(tiny_codec.encode(plane, 80))
    assert (decoded.mode, decoded.size) == ("L", (width, height))
    assert psnr(decoded, plane) > 18


def test_encoding_is_deterministic(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture = drawn_picture(48, 64, 3)
    assert tiny_codec.encode(picture, 50) == tiny_codec.encode(picture.copy(), 50)


def test_coded_and_plain_decode_to_the_same_picture(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture = drawn_picture(48, 64, 4)
    coded, plain = (tiny_codec.encode(picture, 50, coding) for coding in ("coded", "plain"))
    assert same(tiny_codec.planes(coded), tiny_codec.planes(plain))
    assert difference(tiny_codec.decode(coded), tiny_codec.decode(plain)) == 0


def test_the_decoder_follows_the_encoder(tiny_codec: Codec, drawn_picture: Draw) -> None:
    """The closed loop: levels that repeat the encoder's indices lead it to the same choice at the next."""
    picture = drawn_picture(64, 80, 5)
    data = tiny_codec.encode(picture, 70, effort=1, tune="psnr")
    header, planes, engine = bitstream.read_header(data), tiny_codec.planes(data), tiny_codec.engine
    for known in range(len(planes) + 1):
        fixed = [plane if level < known else np.full_like(plane, -1) for level, plane in enumerate(planes)]
        assert same(encode(engine, picture[None], [header], [fixed])[0].planes, planes)


def test_given_indices_are_used_as_they_are(tiny_codec: Codec, drawn_picture: Draw) -> None:
    header = Header(tiny_codec.info.identity, 50, 40, lambda_step=160)
    random = np.random.default_rng(0)
    given = [
        random.integers(-1, level.outputs, bitstream.grid(level, 50, 40)).astype(np.int32)
        for level in tiny_codec.info.layout
    ]
    planes = encode(tiny_codec.engine, drawn_picture(40, 50, 6)[None], [header], [given])[0].planes
    for plane, fixed in zip(planes, given):
        np.testing.assert_array_equal(plane[fixed >= 0], fixed[fixed >= 0])
        assert plane.min() >= 0


def test_the_encoder_measures_what_the_decoder_shows(tiny_codec: Codec, drawn_picture: Draw) -> None:
    """Changing any index of the last level away from the encoder's choice costs more than it saves."""
    picture = drawn_picture(16, 16, 7)
    data = tiny_codec.encode(picture, 100)
    header, planes, engine = bitstream.read_header(data), tiny_codec.planes(data), tiny_codec.engine
    lagrangian = 2 ** (tiny_codec.lambda_step(100) / 16) * 20

    def error(candidate: list[np.ndarray]) -> float:
        return float(((engine.replay([candidate], [header])[0] - picture.astype(float)) ** 2).sum())

    best = error(planes)
    for index in range(tiny_codec.info.layout[-1].outputs):
        other = [*planes[:-1], planes[-1].copy()]
        other[-1][2, 1] = index
        assert error(other) > best - lagrangian


def test_another_process_decodes_the_same(tiny_codec: Codec, drawn_picture: Draw, tmp_path: Path) -> None:
    data = tiny_codec.encode(drawn_picture(50, 70, 8), 60)
    (tmp_path / "picture.ddn").write_bytes(data)
    script = """
import sys, numpy as np
from ddncodec.codec import Codec
codec, data = Codec(sys.argv[1]), open("picture.ddn", "rb").read()
np.savez("out.npz", np.asarray(codec.decode(data)), *codec.planes(data))
"""
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{script}", tiny_codec.info.path],
        cwd=tmp_path, check=True, timeout=120,
    )  # fmt: skip
    with np.load(tmp_path / "out.npz") as out:
        picture, *planes = (out[key] for key in out.files)
    assert same(planes, tiny_codec.planes(data))
    assert difference(Image.fromarray(picture), tiny_codec.decode(data)) <= 1


def test_a_batch_equals_one_by_one(tiny_codec: Codec, drawn_picture: Draw) -> None:
    sizes = [(40, 56), (16, 16), (40, 56), (33, 17), (40, 56), (16, 16)]
    pictures = [drawn_picture(*size, seed) for seed, size in enumerate(sizes)]
    pictures[2] = pictures[2][:, :, 0]
    batch = tiny_codec.encode_batch(pictures, 65)
    single = [tiny_codec.encode(picture, 65) for picture in pictures]
    for one, other in zip(batch, single, strict=True):
        assert same(tiny_codec.planes(one), tiny_codec.planes(other))
    for one, data in zip(tiny_codec.decode_batch(batch), single, strict=True):
        alone = tiny_codec.decode(data)
        assert (one.mode, one.size) == (alone.mode, alone.size)
        assert difference(one, alone) <= 1


def test_a_batch_may_mix_qualities_when_decoding(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture = drawn_picture(32, 32, 9)
    datas = [tiny_codec.encode(picture, quality) for quality in (10, 90)]
    for together, data in zip(tiny_codec.decode_batch(datas), datas):
        assert difference(together, tiny_codec.decode(data)) <= 1


def test_bfloat16_decodes_what_float32_encoded(tiny_path: Path, tiny_codec: Codec, drawn_picture: Draw) -> None:
    half = Codec(tiny_path, precision="bfloat16")
    for seed in range(3):
        picture = drawn_picture(64, 80, 20 + seed)
        for writer, reader in ((tiny_codec, half), (half, tiny_codec)):
            data = writer.encode(picture, 70)
            assert same(writer.planes(data), reader.planes(data))
            one, other = (np.asarray(codec.decode(data), int) for codec in (writer, reader))
            assert np.abs(one - other).max() <= PRECISION_TOLERANCE
            assert np.abs(one - other).mean() <= 0.5
            assert abs(psnr(one, picture) - psnr(other, picture)) < 0.1


def test_every_prefix_of_whole_passes_decodes_and_improves(tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture = drawn_picture(96, 128, 10)
    data = pass_per_level(tiny_codec, tiny_codec.encode(picture, 90))
    ends = [each.end for each in bitstream.describe(data).passes]
    quality = [psnr(tiny_codec.decode(data[:end]), picture) for end in ends]
    assert len(quality) == len(tiny_codec.info.layout)
    assert all(after > before - 0.2 for before, after in zip(quality, quality[1:]))
    assert quality[-1] > quality[0] + 3


def test_levels_progression_and_prefix_agree(tiny_codec: Codec, drawn_picture: Draw) -> None:
    data = pass_per_level(tiny_codec, tiny_codec.encode(drawn_picture(40, 56, 11), 80))
    ends = [each.end for each in bitstream.describe(data).passes]
    shown = list(tiny_codec.decode_progressive(data))
    assert len(shown) == len(ends)
    for level, (end, picture) in enumerate(zip(ends, shown), start=1):
        assert difference(tiny_codec.decode(data, levels=level), picture) == 0
        assert difference(tiny_codec.decode(data[:end]), picture) == 0


def test_a_torn_stream_decodes_on_request_only(tiny_codec: Codec, drawn_picture: Draw) -> None:
    data = pass_per_level(tiny_codec, tiny_codec.encode(drawn_picture(40, 56, 12), 80))
    with pytest.raises(bitstream.InsufficientDataError):
        tiny_codec.decode(data[:-1])
    levels = len(tiny_codec.info.layout)
    shorter = tiny_codec.decode(data, levels=levels - 1)
    assert difference(tiny_codec.decode(data[:-1], allow_partial=True), shorter) == 0
    assert len(list(tiny_codec.decode_progressive(data[:-1]))) == levels - 1


def test_no_pass_is_no_picture(tiny_codec: Codec, drawn_picture: Draw) -> None:
    data = tiny_codec.encode(drawn_picture(8, 8, 0))
    for allow_partial in (False, True):
        with pytest.raises(bitstream.InsufficientDataError):
            tiny_codec.decode(data[:-1], allow_partial=allow_partial)


def test_quality_is_monotone_in_bytes_and_picture(tiny_codec: Codec, drawn_picture: Draw) -> None:
    pictures = [drawn_picture(96, 96, 30 + seed) for seed in range(4)]
    sizes, fidelity = [], []
    for quality in range(0, 101, 20):
        datas = [tiny_codec.encode(picture, quality) for picture in pictures]
        sizes.append(sum(map(len, datas)))
        fidelity.append(np.mean([psnr(tiny_codec.decode(d), p) for d, p in zip(datas, pictures)]))
    assert all(after > before for before, after in zip(sizes, sizes[1:]))
    assert all(after > before - 0.1 for before, after in zip(fidelity, fidelity[1:]))
    assert fidelity[-1] > fidelity[0] + 3
    assert sizes[-1] > 2 * sizes[0]


def test_lambda_steps_fall_with_quality(tiny_codec: Codec) -> None:
    steps = [tiny_codec.lambda_step(quality) for quality in range(101)]
    assert all(after <= before for before, after in zip(steps, steps[1:]))
    assert steps[0] == 16 * 15 and steps[-1] == 16 * 8


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_plain_payload_is_log2_k_bits_an_index(tiny_codec: Codec, drawn_picture: Draw, height: int, width: int) -> None:
    layout = tiny_codec.info.layout
    info = bitstream.describe(tiny_codec.encode(drawn_picture(height, width, 13), 50, "plain"))
    bits = sum(count_cells((level,), width, height) * math.log2(level.outputs) for level in layout)
    payload = sum(each.payload_bytes for each in info.passes)
    assert bits <= 8 * payload < bits + 8 * len(info.passes)
    assert info.total_bytes == payload + sum(each.payload_bytes for each in info.chunks) + info.overhead_bytes
    header = 3 + 1 + 8 + 2 + 1 + (width > 127) + (height > 127)
    assert info.overhead_bytes <= header + 8 * (len(info.passes) + len(info.chunks))


def test_a_stream_of_another_model_is_refused(tiny_codec: Codec, drawn_picture: Draw) -> None:
    stream = bitstream.read_stream(tiny_codec.encode(drawn_picture(8, 8, 0)))
    foreign = replace(stream.header, model_id=bytes(8))
    with pytest.raises(bitstream.CompatibilityError, match=tiny_codec.info.identity.hex()):
        tiny_codec.decode(bitstream.write_stream(foreign, stream.passes))


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xdd\r\n"])
def test_what_is_no_stream_is_refused(tiny_codec: Codec, damage: bytes) -> None:
    with pytest.raises(bitstream.BitstreamError):
        tiny_codec.decode(damage)


def test_arguments_are_checked(tiny_path: Path, tiny_codec: Codec, drawn_picture: Draw) -> None:
    picture = drawn_picture(8, 8, 0)
    data = tiny_codec.encode(picture)
    for quality in (-1, 101, math.nan):
        with pytest.raises(ArgumentError, match="quality"):
            tiny_codec.encode(picture, quality)
    with pytest.raises(ArgumentError, match="coding"):
        tiny_codec.encode(picture, 50, "zip")
    with pytest.raises(ArgumentError, match="levels"):
        tiny_codec.decode(data, levels=0)
    with pytest.raises(ArgumentError, match="precision"):
        Codec(tiny_path, precision="float8")
    with pytest.raises(ArgumentError, match="device"):
        Codec(tiny_path, device="abacus")
    with pytest.raises(ImageError):
        tiny_codec.encode(picture.astype(float))


def test_unknown_and_damaged_models_are_model_errors(tiny_path: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(tiny_path.read_bytes()[:30_000])
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"nothing of the kind")
    for model in (torn, other, tmp_path / "absent.safetensors", "no such name"):
        with pytest.raises(ModelError) as caught:
            Codec(model)
        assert "\n" not in str(caught.value)


def test_module_functions_find_the_model_of_a_stream(
    tiny_path: Path, drawn_picture: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ddncodec

    monkeypatch.setenv("DDNC_MODEL_PATH", str(tiny_path.parent))
    data = ddncodec.encode(drawn_picture(24, 24, 0), 50, model="tiny")
    assert ddncodec.decode(data).size == (24, 24)
    monkeypatch.delenv("DDNC_MODEL_PATH")
    with pytest.raises(ModelError, match="not installed"):
        ddncodec.decode(data)
