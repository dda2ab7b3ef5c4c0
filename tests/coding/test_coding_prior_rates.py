"""A model with an index prior: choices at its prices, and streams that survive every way of coding them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import bitstream
from bitstream import Header, Planes
from bitstream.frequencies import frequencies
from bitstream.prior import PriorState
from bitstream.walks import checkerboard
from ddncodec.codec import Codec
from ddncodec.coding import encoder
from ddncodec.coding.effort import EFFORTS
from ddncodec.coding.engine import Engine
from ddncodec.coding.rate import lambda_of_step
from ddncodec.coding.rate_model import PriorRates
from ddncodec.coding.tiling import Tiling
from ddncodec.generation.sampling import draw_planes
from ddncodec.selftest import run
from ddncodec.zoo.loading import Model

Draw = Callable[[int, int, int], np.ndarray]
STEP = 140


def header_of(codec: Codec, picture: np.ndarray) -> Header:
    return Header(codec.info.identity, picture.shape[1], picture.shape[0], coded=True, lambda_step=STEP)


def cost(codec: Codec, picture: np.ndarray, planes: Planes) -> float:
    """Squared error plus lambda times the bits that the prior codes the planes with."""
    header, engine = header_of(codec, picture), codec.engine
    error = np.square(engine.replay([planes], [header])[0].astype(float) - picture).sum()
    passes = bitstream.encode_planes(planes, codec.info.layout, header, engine.model.probabilities)
    return float(error + lambda_of_step(STEP) * 8 * sum(len(each.payload) for each in passes))


def test_prices_are_the_bits_of_the_coder() -> None:
    """One cell, all candidates: what each costs is the logarithm of the frequencies that would code it."""
    rng = np.random.default_rng(0)
    layout = (bitstream.Level(8, 6),)
    level = bitstream.LevelPrior(*(rng.integers(-40, 41, shape, dtype=kind) for shape, kind in _shapes(3, 6)))
    prior = bitstream.IndexPrior(rng.integers(-99, 99, 3, dtype=np.int8), (level,))
    prior_state = PriorState(prior, layout, 24, 16, STEP)
    rates = PriorRates(prior_state, iter([(2, 3)]))
    rates.begin()
    cells, candidates = torch.zeros(3, 4, 5), torch.randn(6, 5)  # no error to gain: only bits count
    priced = rates.price(cells, candidates, torch.tensor(1.0), 5)
    costs, bits, indices = priced.costs, priced.bits, priced.indices
    assert torch.equal(costs[:2, :3], bits[:2, :3])
    assert costs[2].isinf().all() and costs[:, 3].isinf().all()
    even = checkerboard((2, 3))[0]
    fresh = PriorState(prior, layout, 24, 16, STEP)
    fresh.start_level()
    flag = fresh.nonzero_logits(even)
    pair = frequencies(np.stack([np.zeros_like(flag), flag], axis=1))
    values = frequencies(fresh.value_logits(even))
    for row, cell in enumerate(even):
        found = torch.zeros(6).scatter(0, indices[cell // 3, cell % 3], bits[cell // 3, cell % 3])[1:]
        expected = np.log2(pair[row, 0] / pair[row, 1]) - np.log2(values[row] / 65536)
        np.testing.assert_allclose(found, expected, atol=0.05)


def _shapes(c: int, k: int) -> list[tuple[tuple[int, ...], type[np.integer]]]:
    small, large = np.int8, np.int32
    return [
        ((9 * c, c), small), ((c,), large), ((c,), large), ((c, c), small), ((c,), large), ((k, c), small),
        ((4 * c, c), small), ((c,), large), ((c, c), small), ((c,), large), ((c, k), small), ((k,), large),
        ((k, c), small),
    ]  # fmt: skip


@pytest.mark.parametrize("effort", [1, 6])
def test_choices_at_the_priors_prices_cost_less(prior_codec: Codec, drawn_picture: Draw, effort: int) -> None:
    engine, total = prior_codec.engine, {"prior": 0.0, "tables": 0.0}
    bare = Engine(Model(engine.model.info, engine.model.network, engine.model.tables), engine.device)
    for seed in range(4):
        picture = drawn_picture(96, 112, seed)
        for name, each in (("prior", engine), ("tables", bare)):
            spent = EFFORTS[effort - 1]
            (encoded,) = encoder.encode(each, picture[None], [header_of(prior_codec, picture)], effort=spent)
            total[name] += cost(prior_codec, picture, encoded.planes)
    assert total["prior"] < total["tables"]


def test_batches_and_single_pictures_agree(prior_codec: Codec, drawn_picture: Draw) -> None:
    pictures = [drawn_picture(50, 70, seed) for seed in range(3)]
    together = prior_codec.encode_batch(pictures, 80)
    for picture, data in zip(pictures, together, strict=True):
        alone = prior_codec.planes(prior_codec.encode(picture, 80))
        same = [np.mean(a == b) for a, b in zip(alone, prior_codec.planes(data), strict=True)]
        assert min(same) > 0.98  # sums of a batch may round otherwise


def test_every_prefix_of_passes_decodes(prior_codec: Codec, drawn_picture: Draw) -> None:
    data = prior_codec.encode(drawn_picture(64, 80, 3), 90)
    planes, header = prior_codec.planes(data), bitstream.read_header(data)
    layout, prior = prior_codec.info.layout, prior_codec.engine.model.probabilities
    passes = bitstream.encode_planes(planes, layout, header, prior, [1] * len(layout))
    for count in range(1, len(passes) + 1):
        stream = bitstream.read_stream(bitstream.write_stream(header, passes[:count]))
        for found, plane in zip(bitstream.decode_planes(stream, layout, prior), planes[:count], strict=True):
            np.testing.assert_array_equal(found, plane)


def test_pictures_chosen_tile_by_tile_are_coded_as_one(prior_codec: Codec, drawn_picture: Draw) -> None:
    cutting, picture = Codec(prior_codec.info.path, tiling=Tiling(64, 64)), drawn_picture(64, 320, 5)
    layout, prior = cutting.info.layout, cutting.engine.model.probabilities
    data = cutting.encode(picture, 60, effort=1)
    stream, planes = bitstream.read_stream(data), cutting.planes(data)
    assert [plane.shape for plane in planes] == [bitstream.grid(level, 320, 64) for level in layout]
    assert list(stream.passes) == bitstream.encode_planes(planes, layout, stream.header, prior)
    whole = prior_codec.planes(prior_codec.encode(picture, 60, effort=1))
    assert np.mean([np.mean(a == b) for a, b in zip(planes, whole, strict=True)]) > 0.98


def test_selftest_passes(prior_codec: Codec) -> None:
    assert all(outcome.passed for outcome in run(prior_codec.info.path))


def test_samples_cost_what_the_prior_promises(prior_codec: Codec) -> None:
    layout, prior = prior_codec.info.layout, prior_codec.engine.model.probabilities
    header = Header(prior_codec.info.identity, 256, 256, coded=True, lambda_step=STEP)
    drawn, even = (draw_planes(layout, prior, header, np.random.default_rng(1), draw) for draw in ("tables", "uniform"))
    coded = [bitstream.encode_planes(planes, layout, header, prior) for planes in (drawn, even)]
    sizes = [sum(len(each.payload) for each in passes) for passes in coded]
    assert sizes[0] < sizes[1]
