"""From a training state to a weights file: settle codebooks on the averaged trunk, then fit probability tables."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from bitstream import MODEL_ID_BYTES, Header, Layout, LevelTables, Planes, Probabilities, encode_planes
from ddncodec.coding.encoder import encode
from ddncodec.coding.engine import Engine
from ddncodec.coding.rate import step_of_lambda
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.samples import to_pixels
from ddncodec.training.codebooks import BUCKETS, CodebookState
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.prior_trainer import PriorTrainer
from ddncodec.training.state import TrainState
from ddncodec.training.step import StepOptions, draw_lambdas, total_observations, walk
from ddncodec.training.tables import fit_tables, initial_tables, sample_levels
from ddncodec.zoo.loading import load_model, save_model
from ddncodec.zoo.weights_file import ModelInfo

SOLVE_EVERY = 10
SETTLE_LR_FACTOR = 0.2
"""Share of its learning rate at which the index prior begins to settle."""
TABLE_ROUNDS = 2
"""Tables and choices depend on each other: tables are fitted this many times, each to choices made with the last."""


def release(
    state: TrainState,
    pictures: Pictures,
    path: Path,
    *,
    name: str,
    about: str,
    autocast: bool = True,
    images: int = 200,
    progress: Callable[[str], None] = lambda message: None,
) -> ModelInfo:
    """Write the averaged network of `state` as a weights file whose tables are fitted on `images` training crops.

    `autocast` convolves in bfloat16; `progress` is called with a line on each part.
    """
    device = state.average.device
    network = copy.deepcopy(state.average)
    codebooks = [copy.deepcopy(book) for book in state.codebooks]
    trained = copy.deepcopy(state.prior)
    if state.recipe.network.codebook == "gram-lloyd" or trained:
        _settle(network, codebooks, trained, state, pictures, autocast, progress)
    tables = tuple(_guess(network, book) for book in codebooks)
    prior = trained.export(network) if trained else None
    crop = state.recipe.phases[-1].crop
    size = crop if crop == state.recipe.network.levels[0].cell else 2 * crop  # a picture of one cell is never larger
    for number in range(TABLE_ROUNDS):
        progress(f"fitting tables, round {number + 1} of {TABLE_ROUNDS}")
        info = save_model(path, network, tables, name=name, about=about, prior=prior)
        engine = Engine(load_model(info, device), device, torch.bfloat16 if autocast else torch.float32)
        planes, headers = _encode(engine, pictures, images, size, (state.recipe.seed, state.step, number))
        random = np.random.default_rng((state.recipe.seed, state.step, number))
        tables = tuple(fit_tables(sample) for sample in sample_levels(planes, headers, info.layout, random))
        if prior and _size(planes, headers, info.layout, prior) < _size(planes, headers, info.layout, tables):
            break  # these choices did not depend on the tables
        if prior:
            progress("leaving out the index prior, which saves nothing yet")
            prior = None
    return save_model(path, network, tables, name=name, about=about, prior=prior)


def _size(planes: Sequence[Planes], headers: Sequence[Header], layout: Layout, probabilities: Probabilities) -> int:
    """Bytes of all payloads."""
    passes = (encode_planes(each, layout, header, probabilities) for each, header in zip(planes, headers))
    return sum(len(one.payload) for each in passes for one in each)


def _settle(
    network: DiscreteDistributionNetwork,
    codebooks: list[CodebookState],
    prior: PriorTrainer | None,
    state: TrainState,
    pictures: Pictures,
    autocast: bool,
    progress: Callable[[str], None],
) -> None:
    """Continue Gram-Lloyd and the index prior alone, so that they fit the averaged trunk and not the live one.

    The trunk no longer moves, so that the sums of codebooks need not forget: what comes in counts as much as what is
    there.
    """
    recipe, phase = state.recipe, state.recipe.phases[-1]
    steps, memory = recipe.settle_steps, 1 / (1 - recipe.codebook.decay_late)
    generator = torch.Generator().manual_seed(recipe.seed)
    device = network.device
    options = StepOptions((1.0,) * phase.stages, autocast, relative=recipe.loss.relative)
    for step in range(steps):
        if step % max(1, steps // 10) == 0:
            progress(f"settling, step {step} of {steps}")
        results, batches = [], []
        for number in range(recipe.accumulate):
            seed = (recipe.seed, state.step, step, 1 + number)
            batch = pictures.batch(phase.batch, phase.crop, seed, recipe.network.condition).to(device)
            lambdas = draw_lambdas(network, phase.batch, generator).to(device)
            with torch.no_grad():
                prices = prior.prices(network, lambdas) if prior else None
                weight_map = recipe.visual.weight_map(batch.crops)
                results.append(walk(network, codebooks, batch, lambdas, options, prices=prices, weight_map=weight_map))
            batches.append((results[-1].indices, lambdas))
        if not all(result.stable for result in results):
            continue
        if prior is not None:
            prior.learn(network, batches, SETTLE_LR_FACTOR * (1 - step / steps))
        if recipe.network.codebook != "gram-lloyd":
            continue
        for level, observed in enumerate(total_observations(results)):
            codebooks[level].update(observed, 1 - 1 / (memory + step))
            if step % SOLVE_EVERY == SOLVE_EVERY - 1:
                codebooks[level].solve(network.layer(level), recipe.codebook.ridge_cells)


def _guess(network: DiscreteDistributionNetwork, book: CodebookState) -> LevelTables:
    low, high = (step_of_lambda(x) for x in (network.config.smallest_lambda, network.config.largest_lambda))
    steps = (low + (np.arange(BUCKETS) + 0.5) / BUCKETS * (high - low)).round().astype(np.int64)
    return initial_tables(book.nonzero.cpu().double().numpy(), book.counts[1:].cpu().double().numpy(), steps)


def _encode(
    engine: Engine, pictures: Pictures, images: int, size: int, seed: tuple[int, ...]
) -> tuple[list[Planes], list[Header]]:
    """Encode `images` crops of `size` pixels at random lambdas: their index planes and headers."""
    random = np.random.default_rng(seed)
    config = engine.model.network.config
    low, high = step_of_lambda(config.smallest_lambda), step_of_lambda(config.largest_lambda)
    planes: list[Planes] = []
    headers: list[Header] = []
    for number in range(images):
        batch = pictures.batch(1, size, (*seed, number), config.condition).to(engine.device)
        pixels = to_pixels(batch.crops)
        header = Header(bytes(MODEL_ID_BYTES), size, size, coded=True, lambda_step=int(random.integers(low, high + 1)))
        planes.append(encode(dataclasses.replace(engine, condition=batch.condition), pixels, [header])[0].planes)
        headers.append(header)
    return planes, headers
