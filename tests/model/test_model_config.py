"""The configuration travels as JSON and refuses what the network cannot be."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from ddncodec.errors import ArgumentError
from ddncodec.model import LevelConfig, NetworkConfig, StageConfig
from ddncodec.training.config import RECIPES


def stage(stride: int, *levels: tuple[int, int]) -> StageConfig:
    return StageConfig(stride, 8, 2, 6, tuple(LevelConfig(cell, outputs) for cell, outputs in levels))


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_json_round_trip(name: str) -> None:
    config = RECIPES[name].network
    assert NetworkConfig.from_json(config.to_json()) == config


def test_json_keeps_every_option() -> None:
    config = NetworkConfig(
        (stage(4, (8, 4)),), "gradient", choice_embedding=False, smallest_lambda=1.5, largest_lambda=3.0
    )
    assert NetworkConfig.from_json(config.to_json()) == config


def test_alignment_is_the_largest_cell() -> None:
    assert NetworkConfig((stage(8, (64, 4)), stage(4, (8, 4)))).alignment == 64
    assert RECIPES["photo"].network.alignment == 64


@pytest.mark.parametrize(
    ("stages", "options", "message"),
    [
        ([stage(4, (8, 4))], {"codebook": "lloyd"}, "`codebook` (='lloyd')"),
        ([], {}, "`stages` must end"),
        ([stage(8, (8, 4))], {}, "`stages` must end with a stage of stride 4"),
        ([stage(16, (16, 4)), stage(4, (8, 4))], {}, "`stride` (=4)"),
        ([stage(8, (12, 4)), stage(4, (4, 4))], {}, "`cell` (=12)"),
        ([stage(4, (8, 4), (16, 4))], {}, "`cell` (=16)"),
        ([stage(8, (16, 4)), stage(4, (6, 4))], {}, "`cell` (=6)"),
        ([stage(4, (8, 1))], {}, "`outputs` (=1)"),
    ],
)
def test_impossible_shapes_are_refused(stages: list[StageConfig], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        NetworkConfig(tuple(stages), **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


GOOD = dataclasses.asdict(NetworkConfig((stage(4, (8, 4)),)))


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "{}",
        json.dumps({**GOOD, "unknown": 1}),
        json.dumps({**GOOD, "stages": [{}]}),
        json.dumps({**GOOD, "stages": 3}),
        json.dumps({**GOOD, "codebook": "other"}),
    ],
)
def test_unreadable_json_is_an_argument_error(text: str) -> None:
    with pytest.raises(ArgumentError):
        NetworkConfig.from_json(text)


def test_a_model_with_one_rate_has_the_lambda_of_streams_that_name_none() -> None:
    stages = (StageConfig(4, 8, 2, 4, (LevelConfig(8, 4),)),)
    assert NetworkConfig(stages, smallest_lambda=256.0, largest_lambda=256.0).has_one_rate
    assert not NetworkConfig(stages).has_one_rate
    for low, high in ((2.0, 2.0), (4.0, 2.0), (0.0, 2.0)):
        with pytest.raises(ArgumentError, match="`smallest_lambda`"):
            NetworkConfig(stages, smallest_lambda=low, largest_lambda=high)
