"""The configuration travels as JSON and refuses what the network cannot be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from ddncodec.errors import ArgumentError
from ddncodec.model import LevelConfig, NetworkConfig, StageConfig
from ddncodec.training.recipes import RECIPES


def stage(stride: int, *levels: tuple[int, int]) -> StageConfig:
    return StageConfig(
        stride=stride,
        channels=8,
        features=2,
        basis=6,
        levels=tuple(LevelConfig(cell, outputs) for cell, outputs in levels),
    )


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
    ("build", "message"),
    [
        (lambda: NetworkConfig((stage(4, (8, 4)),), "lloyd"), "`codebook` (='lloyd')"),
        (lambda: NetworkConfig(()), "`stages` must end"),
        (lambda: NetworkConfig((stage(8, (8, 4)),)), "`stages` must end with a stage of stride 4"),
        (lambda: NetworkConfig((stage(16, (16, 4)), stage(4, (8, 4)))), "`stride` (=4)"),
        (lambda: NetworkConfig((stage(8, (16, 4)), stage(4, (12, 4)))), "`cell` (=12) must divide 16"),
        (lambda: stage(8, (12, 4)), "`cell` (=12)"),
        (lambda: stage(4, (8, 4), (16, 4)), "`cell` (=16)"),
        (lambda: stage(4), "`levels`"),
        (lambda: LevelConfig(8, 1), "`outputs` (=1)"),
        (lambda: LevelConfig(0, 4), "`cell` (=0)"),
    ],
)
def test_impossible_shapes_are_refused_where_they_are_built(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        build()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


GOOD = json.loads(NetworkConfig((stage(4, (8, 4)),)).to_json())
STAGE = GOOD["stages"][0]
LEVEL = STAGE["levels"][0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "not readable"),
        ("[]", "must be a JSON object"),
        ("{}", "`stages` must be a list"),
        (json.dumps({**GOOD, "unknown": 1}), "unknown"),
        (json.dumps({**GOOD, "choice_embedding": True}), "choice_embedding"),
        (json.dumps({**GOOD, "stages": [{}]}), "`levels` must be a list"),
        (json.dumps({**GOOD, "stages": [3]}), "`stages` must hold"),
        (json.dumps({**GOOD, "stages": 3}), "`stages` must be a list"),
        (json.dumps({**GOOD, "stages": [{"levels": [LEVEL]}]}), "not complete"),
        (json.dumps({**GOOD, "stages": [{**STAGE, "stride": "4"}]}), "`stride` (='4') must be int"),
        (json.dumps({**GOOD, "stages": [{**STAGE, "levels": [{**LEVEL, "outputs": 4.0}]}]}), "`outputs` (=4.0)"),
        (json.dumps({**GOOD, "stages": [{**STAGE, "levels": [{**LEVEL, "outputs": True}]}]}), "`outputs` (=True)"),
        (json.dumps({**GOOD, "leak": 1}), "(=1) must be bool"),
        (json.dumps({**GOOD, "codebook": "other"}), "`codebook` (='other')"),
        (json.dumps({**GOOD, "codebook": 3}), "`codebook` (=3)"),
    ],
)
def test_json_of_wrong_names_types_or_values_is_refused(text: str, message: str) -> None:
    assert NetworkConfig.from_json(json.dumps(GOOD)).to_json() == json.dumps(GOOD, separators=(",", ":"))
    with pytest.raises(ArgumentError, match=re.escape(message)):
        NetworkConfig.from_json(text)


def test_padding_is_to_multiples_of_the_largest_cell() -> None:
    config = NetworkConfig((stage(8, (64, 4)), stage(4, (8, 4))))
    assert config.padded(1, 65) == (64, 128) and config.padded(64, 128) == (64, 128)


def test_a_model_with_one_rate_has_the_lambda_of_streams_that_name_none() -> None:
    stages = (StageConfig(stride=4, channels=8, features=2, basis=4, levels=(LevelConfig(8, 4),)),)
    assert NetworkConfig(stages, smallest_lambda=256.0, largest_lambda=256.0).has_one_rate
    assert not NetworkConfig(stages).has_one_rate
    for low, high in ((2.0, 2.0), (4.0, 2.0), (0.0, 2.0)):
        with pytest.raises(ArgumentError, match="`smallest_lambda`"):
            NetworkConfig(stages, smallest_lambda=low, largest_lambda=high)
