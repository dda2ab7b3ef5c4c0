"""Every codec keeps the contract, and only the absent ones are left out."""

import pickle
import sys

import pytest
from PIL import Image

from benchmarks.compare.codecs import ImageCodec
from benchmarks.compare.measure import available
from benchmarks.compare.metrics import psnr
from benchmarks.compare.rivals import Jpeg, JpegXl, rivals
from benchmarks.errors import CodecUnavailableError


@pytest.fixture(params=list(rivals()))
def rival(request: pytest.FixtureRequest) -> ImageCodec:
    codec = rivals()[request.param]
    try:
        codec.load()
    except CodecUnavailableError as error:
        pytest.skip(error.message)
    return codec


def test_rival_round_trips_and_better_settings_cost_more(rival: ImageCodec, picture: Image.Image) -> None:
    low, high = rival.settings()[0], rival.settings()[-1]
    coded = {setting: rival.encode(picture, setting) for setting in (low, high)}
    decoded = {setting: rival.decode(data) for setting, data in coded.items()}
    assert {(image.mode, image.size) for image in decoded.values()} == {("RGB", picture.size)}
    assert len(coded[low]) < len(coded[high])
    assert psnr(picture, decoded[low]) < psnr(picture, decoded[high])


def test_rival_encodes_the_same_bytes_again(rival: ImageCodec, picture: Image.Image) -> None:
    setting = rival.settings()[0]
    assert rival.encode(picture, setting) == rival.encode(picture, setting)


def test_codecs_can_be_sent_to_another_process(rival: ImageCodec) -> None:
    assert pickle.loads(pickle.dumps(rival)) == rival


def test_commands_name_the_setting(rival: ImageCodec) -> None:
    assert len({rival.command(setting) for setting in rival.settings()}) == len(rival.settings())


def test_settings_ascend_without_repetition(rival: ImageCodec) -> None:
    assert list(rival.settings()) == sorted(set(rival.settings()))


def test_missing_codec_is_skipped_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)  # what makes `import` fail
    assert available([JpegXl(), Jpeg()]) == [Jpeg()]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("jxl skipped: ")
