"""What a program has set for torch does not change what a codec makes; wrong arguments are errors of the library."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from drawing import draw_picture
from PIL import Image

import bitstream
import ddncodec
from ddncodec.codec import Codec
from ddncodec.coding.effort import EFFORTS
from ddncodec.targets import Target, encode_to

PICTURE = draw_picture(40, 56, 5)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


SETTINGS = {
    "autocast to bfloat16": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast to float16": lambda: torch.autocast("cpu", torch.float16),
    "default dtype float64": lambda: default_dtype(torch.float64),
    "default dtype bfloat16": lambda: default_dtype(torch.bfloat16),
    "default device meta": lambda: torch.device("meta"),
    "gradients": torch.enable_grad,
    "inference mode": torch.inference_mode,
    "deterministic algorithms": deterministic,
    "anomaly detection": lambda: torch.autograd.set_detect_anomaly(True, check_nan=False),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_settings_of_torch_change_nothing(name: str, tiny_path: Path, tiny_codec: Codec) -> None:
    targets = Target(max_bytes=700)
    made = {effort: tiny_codec.encode(PICTURE, effort=effort) for effort in (1, 2, len(EFFORTS))}
    shown = tiny_codec.decode_array(made[2])
    near = encode_to(tiny_codec, PICTURE, targets).data
    levels = [np.asarray(each) for each in tiny_codec.decode_progressive(made[2])]
    with SETTINGS[name]():
        for codec in (tiny_codec, Codec(tiny_path)):
            for effort, data in made.items():
                assert codec.encode(PICTURE, effort=effort) == data
            assert np.array_equal(codec.decode_array(made[2]), shown)
            assert codec.encode_batch([PICTURE, PICTURE]) == tiny_codec.encode_batch([PICTURE, PICTURE])
            assert encode_to(codec, PICTURE, targets).data == near
            for one, other in zip(codec.decode_progressive(made[2]), levels, strict=True):
                assert np.array_equal(np.asarray(one), other)


def test_a_caller_has_its_settings_between_the_levels_of_a_picture(tiny_codec: Codec) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        for _ in tiny_codec.decode_progressive(tiny_codec.encode(PICTURE)):
            assert torch.is_autocast_enabled("cpu") and torch.is_grad_enabled()


def test_codecs_survive_another_folder_and_pickling(
    tiny_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_path.parent)
    codec = Codec(tiny_path.name)
    data = codec.encode(PICTURE)
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(pickle.dumps(codec)).encode(PICTURE) == data


TENSOR = torch.from_numpy(PICTURE).permute(2, 0, 1)
WRONG: dict[str, Callable[[Codec, bytes], object]] = {
    "shape (40, 56, 3)": lambda codec, data: codec.encode(torch.from_numpy(PICTURE)),
    "shape (2, 3, 40, 56)": lambda codec, data: codec.encode(torch.stack([TENSOR, TENSOR])),
    "bfloat16": lambda codec, data: codec.encode(TENSOR.bfloat16()),
    "sparse": lambda codec, data: codec.encode(TENSOR.to_sparse()),
    "meta": lambda codec, data: codec.encode(TENSOR.to("meta")),
    "`image` is a str": lambda codec, data: codec.encode("photo.png"),  # type: ignore[arg-type]
    "`effort` (=1.0)": lambda codec, data: codec.encode(PICTURE, effort=1.0),  # type: ignore[arg-type]
    "`effort` (=None)": lambda codec, data: codec.encode(PICTURE, effort=None),  # type: ignore[arg-type]
    "`quality` (='50')": lambda codec, data: codec.encode(PICTURE, quality="50"),  # type: ignore[arg-type]
    "`quality` (=nan)": lambda codec, data: codec.encode(PICTURE, quality=float("nan")),
    "`coding` (=3)": lambda codec, data: codec.encode(PICTURE, coding=3),  # type: ignore[arg-type]
    "`background` (=(1, 2, 3))": lambda codec, data: codec.encode(PICTURE, background=(1, 2, 3)),  # type: ignore[arg-type]
    "`metadata` (='exif')": lambda codec, data: codec.encode(PICTURE, metadata="exif"),
    "`metadata` (=None)": lambda codec, data: codec.encode(PICTURE, metadata=None),  # type: ignore[arg-type]
    "`data` is a str": lambda codec, data: codec.decode("photo.ddn"),  # type: ignore[arg-type]
    "`data` is a BytesIO": lambda codec, data: ddncodec.decode(io.BytesIO(data)),  # type: ignore[arg-type]
    "`levels` (=1.5)": lambda codec, data: codec.decode(data, 1.5),  # type: ignore[arg-type]
    "`levels` (=0)": lambda codec, data: codec.decode(data, 0),
    "`region` (=(0, 0, 5))": lambda codec, data: codec.decode(data, region=(0, 0, 5)),  # type: ignore[arg-type]
    "`region` (=7)": lambda codec, data: codec.decode(data, region=7),  # type: ignore[arg-type]
    "a batch is a bytes": lambda codec, data: codec.decode_batch(data),  # type: ignore[arg-type]
    "`on_error` (='skip')": lambda codec, data: codec.encode_batch([PICTURE], on_error="skip"),  # type: ignore[call-overload]
    "`precision` (=[])": lambda codec, data: Codec(codec.info.path, precision=[]),  # type: ignore[arg-type]
    "`device` (='meta')": lambda codec, data: Codec(codec.info.path, "meta"),
    "`device` (=3.5)": lambda codec, data: Codec(codec.info.path, 3.5),  # type: ignore[arg-type]
    "`model` (=7)": lambda codec, data: Codec(7),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_arguments_are_errors_of_the_library(text: str, tiny_codec: Codec) -> None:
    data = tiny_codec.encode(PICTURE)
    with pytest.raises(ddncodec.DdncError) as caught:
        WRONG[text](tiny_codec, data)
    assert text in str(caught.value)
    assert len(str(caught.value)) < 400


def test_errors_have_one_base() -> None:
    assert issubclass(ddncodec.DdncError, ddncodec.CodecError)
    assert issubclass(bitstream.BitstreamError, ddncodec.CodecError)


def test_batches_name_what_fails_and_can_return_the_rest(tiny_codec: Codec) -> None:
    good = tiny_codec.encode(PICTURE)
    bad = np.zeros((0, 5, 3), np.uint8)
    with pytest.raises(ddncodec.ImageError, match=r"item 1 of the batch: .*height"):
        tiny_codec.encode_batch([PICTURE, bad])
    first, error, last = tiny_codec.encode_batch([PICTURE, bad, PICTURE[:20]], on_error="return")
    assert (first, last) == (good, tiny_codec.encode(PICTURE[:20]))
    assert isinstance(error, ddncodec.ImageError)
    with pytest.raises(bitstream.BitstreamError, match="item 2 of the batch: "):
        tiny_codec.decode_batch([good, good, good[:9]])
    damaged, shown, text = tiny_codec.decode_batch([good[:9], good, "x"], on_error="return")  # type: ignore[list-item]
    assert isinstance(damaged, bitstream.InsufficientDataError)
    assert isinstance(text, ddncodec.ArgumentError)
    assert isinstance(shown, Image.Image) and np.array_equal(np.asarray(shown), tiny_codec.decode_array(good))


def test_an_error_of_one_picture_is_not_numbered(tiny_codec: Codec) -> None:
    with pytest.raises(ddncodec.ImageError, match=r"^height"):
        tiny_codec.encode(np.zeros((0, 5, 3), np.uint8))


def test_shared_codecs_follow_the_file_that_a_name_stands_for_now(
    tiny_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, source in (("one", tiny_path), ("two", tiny_path.with_name("foretold.safetensors"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.safetensors").write_bytes(source.read_bytes())
        monkeypatch.chdir(tmp_path / folder)
        data = ddncodec.encode(PICTURE, model="mine.safetensors")
        assert bitstream.read_header(data).model_id == Codec(source).info.identity
