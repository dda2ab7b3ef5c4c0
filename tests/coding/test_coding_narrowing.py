"""A part of a picture is decoded as it is in the whole, and the fine levels compute little more than the part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import bitstream
from ddncodec.codec import Codec
from ddncodec.coding.narrowing import Window, reaches, unit_of
from ddncodec.coding.post_filter import REACH
from ddncodec.model import LevelConfig, NetworkConfig, StageConfig, State

DEEP = NetworkConfig(
    (
        StageConfig(stride=8, channels=4, features=1, basis=3, levels=(LevelConfig(16, 3), LevelConfig(8, 3))),
        StageConfig(
            stride=4,
            channels=4,
            features=1,
            basis=3,
            levels=(LevelConfig(8, 3), LevelConfig(4, 3), LevelConfig(4, 3, block=False)),
        ),
    )
)
PARTS = [(0, 0, 5, 7), (100, 60, 12, 20), (150, 140, 42, 52), (0, 90, 192, 1)]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("levels", [None, 1, 2])
def test_a_part_is_as_in_the_whole(
    prior_codec: Codec, drawn_picture: Callable[[int, int, int], np.ndarray], part: tuple[int, ...], levels: int | None
) -> None:
    data = prior_codec.encode(drawn_picture(192, 192, 4), 70)
    y, x, height, width = part
    whole = prior_codec.decode_array(data, levels).astype(int)
    found = prior_codec.decode_array(data, levels, region=(x, y, width, height))
    assert np.abs(found - whole[y : y + height, x : x + width]).max() <= 1


def test_levels_reach_less_and_less_far() -> None:
    last = REACH + 4  # a level without block, and rendering
    assert reaches(DEEP, 5) == [last + 4 + 4 + 8 + 8 + 8, last + 4 + 4 + 8 + 8, last + 4 + 4 + 8, last + 4, last]
    assert reaches(DEEP, 1) == [REACH + 8 + 8]


def test_windows_are_cut_between_cells_only() -> None:
    assert [unit_of(DEEP, level) for level in range(5)] == [16, 8, 8, 4, 4]
    within = Window(slice(0, 100), slice(16, 64))
    window = Window(slice(33, 40), slice(20, 60)).grown(3, 8, within)
    assert window == Window(slice(24, 48), slice(16, 64))
    values = torch.arange(25)[:, None] * 100 + torch.arange(12)
    part = window.of(values, 4, within)
    assert part.shape == (6, 12)
    assert part[0, 0] == 600


def test_the_last_level_computes_a_part_of_the_picture(
    prior_codec: Codec, drawn_picture: Callable[[int, int, int], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    backend = type(prior_codec.engine.backend)
    follow = backend.follow

    def noted(self: object, state: State, indices: torch.Tensor) -> State:
        after = follow(self, state, indices)
        sizes.append(after.image[0, 0].numel() * 16)
        return after

    data = prior_codec.encode(drawn_picture(256, 256, 5), 50)
    monkeypatch.setattr(backend, "follow", noted)
    prior_codec.decode(data, region=(100, 100, 8, 8))
    assert len(sizes) == len(bitstream.describe(data).passes[0:1]) * len(prior_codec.info.layout)
    assert sizes[-1] <= 64 * 64
