"""The self-test passes here, and notices when indices or pixels come out wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import bitstream
from ddncodec import selftest
from ddncodec.codec import Codec
from ddncodec.coding.engine import Engine
from ddncodec.coding.precision import PRECISIONS


def test_every_way_of_decoding_agrees(tiny_path: Path) -> None:
    checks = list(selftest.run(tiny_path))
    assert [check.way for check in checks] == selftest.ways()
    assert {(way.threads, way.precision, way.batch) for way in selftest.ways()} >= {
        (threads, precision, batch)
        for threads in (1, 2) for precision in ("float32", "bfloat16") for batch in (False, True)
    }  # fmt: skip
    for check in checks:
        assert check.passed, check
    assert (checks[0].difference, checks[0].loss) == (0, 0)


def test_the_pictures_are_small_and_odd_gray_and_coloured() -> None:
    shapes = {picture.shape for picture in selftest.draw()}
    assert {len(shape) for shape in shapes} == {2, 3}
    assert (1, 1, 3) in shapes
    assert any(height % 2 and width % 2 and height * width > 10000 for height, width, *_ in shapes)
    assert all(picture.dtype == np.uint8 for picture in selftest.draw())


def test_wrong_indices_fail(tiny_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that reads one index of every coded stream wrong, as one out of step would."""
    decode_planes = bitstream.decode_planes

    def wrong(stream: bitstream.Stream, *words: object, **options: object) -> list[np.ndarray]:
        planes = decode_planes(stream, *words, **options)  # type: ignore[arg-type]
        if stream.header.coded:
            planes[0][0, 0] ^= 1
        return planes

    monkeypatch.setattr(bitstream, "decode_planes", wrong)
    streams = 2 * len(selftest.SIZES)
    for check in selftest.run(tiny_path):
        assert (check.wrong_indices, check.passed) == (streams, False)


@pytest.mark.parametrize("precision, amount", [("float32", 1), ("float32", 2), ("bfloat16", 1), ("bfloat16", 60)])
def test_wrong_pixels_fail(precision: str, amount: int, tiny_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads spoil a line of some pictures: within the tolerances or not."""
    replay = Engine.replay

    def wrong(engine: Engine, *words: object, **options: object) -> np.ndarray:
        pixels = replay(engine, *words, **options)  # type: ignore[arg-type]
        if torch.get_num_threads() == 2 and engine.precision == PRECISIONS[precision]:
            pixels[:, 5:6] ^= amount
        return pixels

    monkeypatch.setattr(Engine, "replay", wrong)
    for check in selftest.run(tiny_path):
        spoilt = check.way.threads == 2 and check.way.precision == precision
        assert check.passed == (not spoilt or amount == 1), check


def test_damaged_weights_fail(tiny_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One decoder has other weights than the first: its pixels are off, though its indices are not."""
    made = Codec.__init__

    def damaged(
        codec: Codec, model: Path, device: str = "cpu", precision: str = "float32", *, threads: int | None = None
    ) -> None:
        made(codec, model, device, precision, threads=threads)
        if precision == "bfloat16":
            codec.engine.model.network.layer(0).codebook.data += 0.5

    monkeypatch.setattr(Codec, "__init__", damaged)
    checks = list(selftest.run(tiny_path))
    assert {check.way.precision for check in checks if not check.passed} == {"bfloat16"}
    assert {check.wrong_indices for check in checks} == {0}
