"""A file is as large, or a picture as good, as asked for."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import bitstream
from ddncodec.codec import Codec
from ddncodec.coding.price_search import MAX_TRIALS, Search, Trial
from ddncodec.errors import ArgumentError
from ddncodec.metrics import psnr
from ddncodec.targets import Target, TargetError, encode_to

Draw = Callable[[int, int, int], np.ndarray]


@pytest.fixture(scope="module")
def picture(drawn_picture: Draw) -> np.ndarray:
    return drawn_picture(150, 170, 3)


def trials_of(curve: Callable[[float], float], search: Search) -> list[Trial]:
    return search.run(lambda step: iter([Trial(step, b"", None, curve(step), filtered=False)]), lambda trial: None)


@pytest.mark.parametrize("wanted", [6.0, 8.0, 9.5, 11.5])
@pytest.mark.parametrize("wiggle", [0.0, 0.02])
def test_few_trials_find_the_window(wanted: float, wiggle: float) -> None:
    def curve(step: float) -> float:
        return 12 - 0.03 * step + 0.00003 * step**2 + wiggle * math.sin(7 * step)

    trials = trials_of(curve, Search((wanted - 0.03, wanted), (0, 400), 90, 0.025))
    assert wanted - 0.03 <= trials[-1].value <= wanted
    assert len(trials) <= (5 if wiggle == 0 else 8)


@pytest.mark.parametrize("wanted, end", [(20.0, 0), (-5.0, 400)])
def test_what_no_price_reaches_ends_at_the_best_or_worst(wanted: float, end: float) -> None:
    trials = trials_of(lambda step: 12 - 0.03 * step, Search((wanted - 0.03, wanted), (0, 400), 90, 0.025))
    assert trials[-1].step == end
    assert len(trials) <= 4


def test_a_jump_over_the_window_ends_next_to_it() -> None:
    trials = trials_of(lambda step: 3.0 if step < 77.7 else 1.0, Search((1.9, 2.0), (0, 400), 90, 0.025))
    assert len(trials) <= MAX_TRIALS
    assert min(abs(trial.step - 77.7) for trial in trials) < 0.1


@pytest.mark.parametrize("size", [150, 200, 1000])
def test_a_size_is_used_and_never_exceeded(size: int, tiny_codec: Codec, picture: np.ndarray) -> None:
    trials: list[Trial] = []
    encoded = encode_to(tiny_codec, picture, Target(max_bytes=size), tune="psnr", tried=trials.append)
    assert 0.97 * size <= len(encoded.data) <= size
    assert encoded.reached
    assert len(trials) <= 8
    assert tiny_codec.decode(encoded.data).size == (170, 150)


def test_bits_per_pixel_are_of_the_whole_file(tiny_codec: Codec, picture: np.ndarray) -> None:
    clear = np.dstack([picture, np.arange(picture[..., 0].size).reshape(picture.shape[:2]) % 251]).astype(np.uint8)
    rate = 8 * len(tiny_codec.encode(clear, 40)) / picture[..., 0].size
    encoded = encode_to(tiny_codec, clear, Target(bpp=rate))
    assert 0.97 * rate <= 8 * len(encoded.data) / picture[..., 0].size <= rate
    assert tiny_codec.decode(encoded.data).mode == "RGBA"


def test_prices_beyond_the_range_of_qualities_continue_where_it_ends(tiny_codec: Codec, picture: np.ndarray) -> None:
    worst, best = (len(tiny_codec.encode(picture, quality, tune="psnr")) for quality in (0, 100))
    small = encode_to(tiny_codec, picture, Target(max_bytes=worst // 2), tune="psnr")
    assert 0.97 * (worst // 2) <= len(small.data) <= worst // 2
    assert small.quality < 0
    assert bitstream.read_header(small.data).lambda_step == tiny_codec.lambda_step(0)
    large = encode_to(tiny_codec, picture, Target(max_bytes=2 * best), tune="psnr")
    assert best < len(large.data) <= 2 * best
    assert large.quality > 100
    assert bitstream.read_header(large.data).lambda_step == tiny_codec.lambda_step(100)


def test_what_cannot_be_spent_is_reported(tiny_codec: Codec, picture: np.ndarray) -> None:
    encoded = encode_to(tiny_codec, picture, Target(max_bytes=1_000_000), tune="psnr")
    assert not encoded.reached
    assert len(encoded.data) >= len(tiny_codec.encode(picture, 100, tune="psnr"))


def test_a_size_below_the_smallest_file_is_an_error_with_both(tiny_codec: Codec, picture: np.ndarray) -> None:
    with pytest.raises(TargetError, match=r"^target of 20 bytes is below (\d+), the smallest") as caught:
        encode_to(tiny_codec, picture, Target(max_bytes=20))
    smallest = int(str(caught.value).split()[6].rstrip(","))
    assert len(encode_to(tiny_codec, picture, Target(max_bytes=smallest)).data) == smallest


@pytest.mark.parametrize("gray", [False, True])
def test_psnr_is_reached_from_above(gray: bool, tiny_codec: Codec, picture: np.ndarray) -> None:
    original = picture[..., 1] if gray else picture
    for wanted in (
        psnr(original, tiny_codec.decode_array(tiny_codec.encode(original, quality, tune="psnr")))
        for quality in (10, 45)
    ):
        encoded = encode_to(tiny_codec, original, Target(psnr=wanted))
        assert encoded.psnr == pytest.approx(psnr(original, tiny_codec.decode_array(encoded.data)))
        assert wanted <= encoded.psnr <= wanted + 0.1
        assert encoded.reached


@pytest.mark.parametrize("wanted", [16.0, 20.0])
def test_what_only_files_without_a_post_filter_reach_is_reached(
    wanted: float, tiny_codec: Codec, drawn_picture: Draw
) -> None:
    trials: list[Trial] = []
    encoded = encode_to(tiny_codec, drawn_picture(90, 120, 7), Target(psnr=wanted), tried=trials.append)
    assert min(trial.value for trial in trials if trial.filtered) > wanted + 0.1
    assert encoded.reached
    assert not bitstream.read_stream(encoded.data).chunks


@pytest.mark.parametrize("wanted", [5.0, 60.0])
def test_psnr_out_of_reach_is_reported(wanted: float, tiny_codec: Codec, picture: np.ndarray) -> None:
    trials: list[Trial] = []
    encoded = encode_to(tiny_codec, picture, Target(psnr=wanted), tried=trials.append)
    assert not encoded.reached
    nearest = min(trials, key=lambda trial: abs(trial.value - wanted))
    assert (encoded.psnr, encoded.data) == (nearest.psnr, nearest.data)


def test_tiny_pictures_have_targets_too(tiny_codec: Codec) -> None:
    encoded = encode_to(tiny_codec, np.full((1, 1), 200, np.uint8), Target(psnr=20))
    assert encoded.psnr is not None
    assert encoded.psnr >= 20
    with pytest.raises(TargetError):
        encode_to(tiny_codec, np.full((1, 1), 200, np.uint8), Target(bpp=8))


WRONG = [{}, {"max_bytes": 100, "psnr": 30.0}] + [
    {name: value} for value in (0, -1.0, math.nan, math.inf) for name in ("max_bytes", "bpp", "psnr")
]


@pytest.mark.parametrize("given", WRONG, ids=str)
def test_wrong_targets(given: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match=r"bpp|psnr|max_bytes"):
        Target(**given)  # type: ignore[arg-type]


def test_a_psnr_is_reached_with_the_tune_for_it(tiny_codec: Codec, picture: np.ndarray) -> None:
    plain, alike = (encode_to(tiny_codec, picture, Target(psnr=22), tune=tune) for tune in ("psnr", None))
    assert plain == alike
    sizes = [encode_to(tiny_codec, picture, Target(max_bytes=400), tune=tune).data for tune in ("visual", None)]
    assert sizes[0] == sizes[1]
