"""`--tune` says by what the encoder chooses, everywhere that something is encoded, and decoders need not know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_cases import Ddnc, Refused
from PIL import Image

import ddncodec
from ddncodec import pillow_plugin
from ddncodec.batch.encoding import EncodeOptions, encode_group
from ddncodec.batch.outcomes import FileJob
from ddncodec.codec import Codec
from ddncodec.errors import ArgumentError
from ddncodec.placeholder import encode_inline, make_placeholder
from ddncodec.targets import Target, encode_to


@pytest.mark.parametrize("tune", ["visual", "psnr"])
def test_every_way_in_encodes_alike(photo: Path, ddnc: Ddnc, tiny_codec: Codec, tiny_path: Path, tune: str) -> None:
    picture = Image.open(photo).convert("RGB")
    expected = tiny_codec.encode(picture, 70, tune=tune)
    assert ddnc("encode", photo, "out.ddn", "-q", 70, "--tune", tune, "--model", "tiny").exit_code == 0
    assert Path("out.ddn").read_bytes() == expected
    assert ddncodec.encode(picture, 70, model=tiny_path, tune=tune) == expected
    pillow_plugin.register()
    picture.save("pillow.ddn", quality=70, model=str(tiny_path), tune=tune)
    assert Path("pillow.ddn").read_bytes() == expected
    source = photo.absolute()
    job = FileJob(source, source.with_suffix(".ddn"))
    (outcome,) = encode_group([job], EncodeOptions(str(tiny_path), quality=70, tune=tune))
    assert outcome.product is not None and outcome.product.data == expected
    np.testing.assert_array_equal(tiny_codec.decode_array(expected).shape, np.asarray(picture).shape)


def test_tunes_choose_otherwise(photo: Path, tiny_codec: Codec) -> None:
    streams = [tiny_codec.encode(Image.open(photo).convert("RGB"), 70, tune=tune) for tune in ("visual", "psnr")]
    assert streams[0] != streams[1]


def test_targets_are_met_by_either_tune(photo: Path, tiny_codec: Codec) -> None:
    picture = Image.open(photo).convert("RGB")
    found = {tune: encode_to(tiny_codec, picture, Target(max_bytes=500), tune=tune) for tune in ("visual", "psnr")}
    assert all(encoded.reached and len(encoded.data) <= 500 for encoded in found.values())
    assert found["visual"].data != found["psnr"].data


def test_placeholders_take_a_tune(photo: Path, tiny_codec: Codec, ddnc: Ddnc) -> None:
    picture = Image.open(photo).convert("RGB")
    assert encode_inline(tiny_codec, picture, 80, tune="visual") != encode_inline(tiny_codec, picture, 80, tune="psnr")
    assert make_placeholder(tiny_codec, picture, 60) == make_placeholder(tiny_codec, picture, 60, tune="psnr")
    assert ddnc("placeholder", photo, "--tune", "visual", "--bytes", 60, "--model", "tiny").exit_code == 0


def test_unknown_tunes_are_refused(photo: Path, refused: Refused, tiny_codec: Codec) -> None:
    assert "'ssim' is not one of 'visual', 'psnr'" in refused("encode", photo, "out.ddn", "--tune", "ssim", status=2)
    with pytest.raises(ArgumentError, match="`tune`"):
        encode_to(tiny_codec, np.zeros((8, 8, 3), np.uint8), Target(psnr=30), tune="ssim")
