"""The prior in training computes what the coder's integers do, and learns what indices tell of each other."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bitstream import Header, Level, LevelPrior, encode_planes
from bitstream.context import lambda_feature
from bitstream.prior import PriorState
from bitstream.walks import checkerboard
from ddncodec.codec import Codec
from ddncodec.coding.rate import lambda_of_step
from ddncodec.errors import ArgumentError
from ddncodec.training.config import PriorConfig
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.prices import PriorPrices
from ddncodec.training.prior import PriorNetwork, codebook_features
from ddncodec.training.prior_trainer import PriorTrainer
from ddncodec.training.recipes import TINY
from ddncodec.training.release import release
from ddncodec.training.state import TrainState
from ddncodec.training.trainer import train_step

CPU = torch.device("cpu")
STEP = 150


def scattered(codec: Codec, seed: int) -> PriorNetwork:
    """A prior with no weight at zero."""
    generator = torch.Generator().manual_seed(seed)
    prior = PriorNetwork(codec.engine.model.network, 6, generator)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return prior


def planes_of(layout: tuple[Level, ...], count: int, side: int, seed: int) -> list[Tensor]:
    """Indices in which each cell of a level repeats its cell of the level before, mostly; (count, gh, gw) each."""
    generator = torch.Generator().manual_seed(seed)
    planes: list[Tensor] = []
    for number, level in enumerate(layout):
        cells = side // level.cell
        plane = torch.randint(level.outputs, (count, cells, cells), generator=generator)
        if number:
            factor = layout[number - 1].cell // level.cell
            before = planes[-1].repeat_interleave(factor, 1).repeat_interleave(factor, 2) % level.outputs
            plane = torch.where(torch.rand(plane.shape, generator=generator) < 0.9, before, plane)
        planes.append(plane)
    return planes


def size(codec: Codec, prior: PriorNetwork, planes: list[Tensor], side: int) -> int:
    """Bytes of the first picture's planes."""
    header = Header(codec.info.identity, side, side, coded=True, lambda_step=STEP)
    each = [plane[0].numpy().astype(np.int32) for plane in planes]
    integers = prior.export(codebook_features(codec.engine.model.network))
    return sum(len(one.payload) for one in encode_planes(each, codec.info.layout, header, integers))


@pytest.mark.parametrize("seed", [0, 1])
def test_training_and_coding_compute_the_same_logits(tiny_codec: Codec, seed: int) -> None:
    layout, network = tiny_codec.info.layout, tiny_codec.engine.model.network
    prior, planes = scattered(tiny_codec, seed), planes_of(layout, 1, 96, seed)
    prior_state = PriorState(prior.export(codebook_features(network)), layout, 96, 96, STEP)
    steps = torch.tensor([lambda_feature(STEP)])
    with torch.no_grad():
        for plane, (seen, head, bias) in zip(
            planes, prior.predict(planes, steps, codebook_features(network)), strict=True
        ):
            logits = ((seen[0].permute(1, 2, 0) @ head.T + bias) * 16).floor().int().flatten(0, 1).numpy()
            prior_state.start_level()
            for phase, cells in enumerate(checkerboard(plane[0].shape)):
                if phase:
                    prior_state.condition_on_anchors(plane[0].numpy())
                np.testing.assert_array_equal(logits[cells, 0], prior_state.nonzero_logits(cells))
                np.testing.assert_array_equal(logits[cells, 1:], prior_state.value_logits(cells))
            prior_state.finish_level(plane[0].numpy())


def test_bits_are_those_of_the_payload(tiny_codec: Codec) -> None:
    prior, planes = scattered(tiny_codec, 2), planes_of(tiny_codec.info.layout, 1, 256, 2)
    with torch.no_grad():
        nonzero, values = prior(
            planes, torch.tensor([lambda_feature(STEP)]), codebook_features(tiny_codec.engine.model.network)
        )
    assert size(tiny_codec, prior, planes, 256) == pytest.approx(float(nonzero.sum() + values.sum()) / 8, rel=0.01)


def test_it_learns_how_indices_depend_on_each_other(tiny_codec: Codec) -> None:
    network, layout = tiny_codec.engine.model.network, tiny_codec.info.layout
    state = PriorTrainer(network, 8, 1e-2, 0)
    seen = planes_of(layout, 1, 64, 999)
    before = size(tiny_codec, state.average, seen, 64)
    for step in range(120):
        state.learn(network, [(planes_of(layout, 4, 64, step), torch.full((4,), lambda_of_step(STEP)))], 1.0)
    assert size(tiny_codec, state.average, seen, 64) < 0.7 * before


def test_prices_and_export_are_those_of_the_moving_average(tiny_codec: Codec) -> None:
    network, layout = tiny_codec.engine.model.network, tiny_codec.info.layout
    state, lambdas, features = (
        PriorTrainer(network, 6, 0.1, 0),
        torch.full((2,), lambda_of_step(STEP)),
        codebook_features(network),
    )
    for step in range(3):
        state.learn(network, [(planes_of(layout, 2, 64, step), lambdas)], 1.0)
    steps = torch.full((2,), lambda_feature(STEP))
    same, other = (random_choices(PriorPrices(prior, features, steps)) for prior in (state.average, state.network))
    assert torch.equal(random_choices(state.prices(network, lambdas)), same) and not torch.equal(same, other)
    exported = [prior.start for prior in (state.export(network), state.average.export(features))]
    np.testing.assert_array_equal(*exported)
    assert not np.array_equal(exported[0], state.network.export(features).start)


def random_choices(prices: PriorPrices) -> Tensor:
    """Indices of the first level at random errors, which are about as large as the prices."""
    random = torch.Generator().manual_seed(0)
    cells, candidates = torch.randn(2, 16, 16, 6, generator=random), torch.randn(4, 6, generator=random)
    candidates[0] = 0
    return prices.choose(0, cells, candidates, torch.ones(2))


def test_a_level_learns_from_its_neighbours_within_the_plane(tiny_codec: Codec) -> None:
    """In a last plane of one index, unpredictable, non-anchors cost little once anchors are known."""
    network, layout = tiny_codec.engine.model.network, tiny_codec.info.layout
    state = PriorTrainer(network, 8, 1e-2, 0)

    def flat(seed: int, count: int) -> list[Tensor]:
        drawn = torch.randint(layout[-1].outputs, (count, 1, 1), generator=torch.Generator().manual_seed(seed))
        planes = [torch.zeros(count, 64 // level.cell, 64 // level.cell, dtype=torch.int64) for level in layout]
        return [*planes[:-1], planes[-1] + drawn]

    for step in range(150):
        state.learn(network, [(flat(step, 8), torch.full((8,), lambda_of_step(STEP)))], 1.0)
    anchors_alone = flat(999, 1)[-1].numel() / 2 * (layout[-1].outputs - 1).bit_length() / 8
    assert size(tiny_codec, state.average, flat(999, 1), 64) < 1.2 * anchors_alone


def test_the_prior_does_not_disturb_the_network(drawn_folder: Path) -> None:
    with_prior, without = (
        TrainState(dataclasses.replace(TINY, prior=PriorConfig(channels)), CPU) for channels in (4, 0)
    )
    for state in (with_prior, without):
        for _ in range(6):
            train_step(state, Pictures(drawn_folder), CPU, autocast=False)
    assert without.prior is None
    for one, other in zip(with_prior.network.parameters(), without.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_pictures_of_one_cell_are_priced_though_they_have_no_odd_one(drawn_folder: Path) -> None:
    phases = tuple(dataclasses.replace(phase, crop=16) for phase in TINY.phases)
    state = TrainState(dataclasses.replace(TINY, phases=phases, prior=PriorConfig(channels=4, joint_from=0)), CPU)
    assert train_step(state, Pictures(drawn_folder), CPU, autocast=False).loss > 0


def test_training_continues_from_the_integers_of_a_prior(tiny_codec: Codec) -> None:
    network = tiny_codec.engine.model.network
    features = codebook_features(network)
    expected = scattered(tiny_codec, 3).export(features)
    fresh = PriorNetwork(network, 6, torch.Generator().manual_seed(9))
    fresh.adopt(expected)
    found = fresh.export(features)
    np.testing.assert_array_equal(found.start, expected.start)
    for one, other in zip(found.levels, expected.levels, strict=True):
        for field in dataclasses.fields(LevelPrior):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))
    with pytest.raises(ArgumentError, match="another shape"):
        PriorNetwork(network, 5, torch.Generator()).adopt(expected)


GAIN = 4.0
"""Squared error that every index but 0 saves, in bits."""


def test_where_all_candidates_are_equal_each_cell_takes_the_likeliest_index(tiny_codec: Codec) -> None:
    network = tiny_codec.engine.model.network
    prior, planes = scattered(tiny_codec, 4), planes_of(tiny_codec.info.layout, 2, 64, 4)
    steps, features = torch.tensor([0.0, 9.0]), codebook_features(network)
    prices, chosen = PriorPrices(prior, features, steps), []
    for level, plane in enumerate(planes):
        candidates = torch.full((tiny_codec.info.layout[level].outputs, 1), -GAIN)
        candidates[0] = 0
        chosen.append(prices.choose(level, torch.ones(*plane.shape, 1), candidates, torch.ones(2)))
    assert any(plane.any() for plane in chosen) and any((plane == 0).any() for plane in chosen)
    with torch.no_grad():
        for plane, (seen, head, bias) in zip(chosen, prior.predict(chosen, steps, features), strict=True):
            octaves = seen.permute(0, 2, 3, 1) @ head.T + bias
            values = octaves[..., 1:] - torch.logsumexp(octaves[..., 1:] * math.log(2), 3, keepdim=True) / math.log(2)
            likeliest = values.max(dim=3)
            expected = torch.where(octaves[..., 0] + likeliest.values + GAIN > 0, 1 + likeliest.indices, 0)
            assert torch.equal(plane, expected)


def test_a_prior_that_saves_nothing_is_left_out(drawn_folder: Path, tmp_path: Path) -> None:
    state = TrainState(TINY, CPU)
    messages: list[str] = []
    release(
        state, Pictures(drawn_folder), tmp_path / "new.safetensors", name="new", about="untrained", images=6,
        progress=messages.append,
    )  # fmt: skip
    assert any("leaving out the index prior" in message for message in messages)
    assert Codec(tmp_path / "new.safetensors").engine.model.prior is None


def test_two_batches_teach_what_both_do_together(tiny_codec: Codec) -> None:
    network, layout = tiny_codec.engine.model.network, tiny_codec.info.layout
    whole, halves = (PriorTrainer(network, 6, 0.1, 0) for _ in range(2))
    planes, lambdas = planes_of(layout, 4, 64, 1), torch.full((4,), lambda_of_step(STEP))
    bits = whole.learn(network, [(planes, lambdas)], 1.0)
    parts = [([plane[i : i + 2] for plane in planes], lambdas[i : i + 2]) for i in (0, 2)]
    assert halves.learn(network, parts, 1.0) == pytest.approx(bits, rel=1e-5)
    for one, other in zip(whole.network.parameters(), halves.network.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-7)
