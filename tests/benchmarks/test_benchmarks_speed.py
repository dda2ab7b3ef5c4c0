"""The ratios are of the convolutions that run, and the command prints a row for every size and codec."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from drawing import draw_picture

from benchmarks.__main__ import main
from benchmarks.compare.speed import SETTINGS, Ratios, convolution_seconds, convolutions_of, filled, ratios
from ddncodec.codec import Codec


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_convolutions_are_those_of_decoding(precision: str, tiny_path: Path) -> None:
    codec = Codec(tiny_path, precision=precision)
    data = codec.encode(draw_picture(40, 60, 1))
    calls, network = convolutions_of(codec, data), codec.engine.model.network
    used = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    unused = [stage.to_detail for stage in network.stages if stage.scale > 1]
    kept = [network.layer(number) for number, plane in enumerate(codec.planes(data)) if not plane.any()]
    assert len(kept) < len(network.places), "some level changes something"
    unused += [module for layer in kept for module in (layer.to_learned, layer.to_gains)]
    assert {call.module for call in calls} == set(used) - set(unused)
    assert len(calls) == len(used) - len(unused)
    assert {call.dtype for call in calls} == {getattr(torch, precision)}
    mixers = [call for call in calls if call.module.kernel_size == (3, 3)]
    assert [tuple(call.shape[2:]) for call in mixers] == [(6, 8), (12, 16), (12, 16), (12, 16)]


def ticks() -> Callable[[], float]:
    """A clock that is one second later each time it is read."""
    return map(float, itertools.count()).__next__


def test_every_convolution_is_timed_once(tiny_codec: Codec) -> None:
    calls = convolutions_of(tiny_codec, tiny_codec.encode(draw_picture(64, 64, 1)))
    assert convolution_seconds(calls, ticks()) == len(calls)
    assert convolution_seconds(calls * 3, ticks()) == 3 * len(calls)


def test_ratios_are_medians_of_one_picture(tiny_codec: Codec) -> None:
    picture = draw_picture(64, 96, 1)
    calls = convolutions_of(tiny_codec, tiny_codec.encode(picture, SETTINGS["ddnc"], effort=1))
    found = ratios(tiny_codec, picture, rounds=2, clock=ticks())
    assert found == Ratios(96, 64, encode=1, decode=1, convolutions=len(calls), writing=1, reading=1)


def test_a_row_holds_the_ratios() -> None:
    row = Ratios(1000, 400, encode=4.0, decode=2.0, convolutions=1.25, writing=0.1, reading=0.3).row()
    assert row.split() == ["0.40", "2.00", "1.60", "4.00", "2.00", "15.0", "%", "2.5", "%"]


def test_pictures_are_filled_with_mirror_images() -> None:
    small = draw_picture(20, 30, 1)
    large = filled(small, 0.006)
    assert large.shape == (63, 95, 3)
    assert np.array_equal(large[:20, :30], small)
    assert np.array_equal(large[20:40, 30:60], small[::-1, ::-1])
    assert np.array_equal(large[40:60, 60:90], small)


def test_the_command_prints_all_sizes_and_codecs(tiny_path: Path) -> None:
    words = ["speed", "--model", str(tiny_path), "--megapixels", "0.01,0.02", "--rounds", "1"]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0
    above, below = result.stdout.split("\n\n")
    assert [line.split()[0] for line in above.splitlines()[3:]] == ["0.01", "0.02", "aim"]
    rows = [line.split() for line in below.splitlines()[1:]]
    expected = {(name, size) for name in ("ddnc", "jpeg") for size in ("0.01", "0.02")}
    assert expected <= {(row[0], row[1]) for row in rows}
    assert all(re.fullmatch(r"\d+\.\d+", number) for row in rows for number in row[2:5])


@pytest.mark.parametrize("sizes", ["", "0", "1,x", "nan", "1e9"])
def test_wrong_sizes_are_refused(sizes: str, tiny_path: Path) -> None:
    result = CliRunner().invoke(main, ["speed", "--model", str(tiny_path), "--megapixels", sizes])
    assert result.exit_code == 2
    assert "--megapixels" in result.stderr
