"""The training loop: steps, codebook updates, checkpoints, log. What a step computes is in `step`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ddncodec.metrics import PSNR_OF_A_COPY, psnr_of_error
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.processes import any_process, rank, sum_over_processes
from ddncodec.training.state import TrainState
from ddncodec.training.step import StepOptions, StepResult, draw_lambdas, total_observations, walk

CHECKPOINT_SECONDS = 180.0
OUTPUTS_PER_SPLIT = 16
"""Split-and-Prune moves at most one output, and one more for each of this many."""
SAMPLE_PEAK = 2.0
"""Range of network samples."""


@dataclasses.dataclass(frozen=True)
class Report:
    """One step in numbers: PSNR in dB after each level against that stage's picture, share of cells not kept, usage."""

    step: int
    loss: float
    psnr: tuple[float, ...]
    taken: tuple[float, ...]
    usage: tuple[float, ...]


def train(
    state: TrainState,
    pictures: Pictures,
    folder: Path,
    device: torch.device,
    *,
    max_seconds: float = float("inf"),
    autocast: bool = True,
    stop: Callable[[], bool] = lambda: False,
    report: Callable[[Report], None] = lambda report: None,
) -> bool:
    """Train from `state.step` to the end of the recipe, until time is up, or until `stop()`; leaves a checkpoint.

    Under several processes, all stop after the same step as soon as one wants to. Returns whether the recipe is
    complete. `report` is called after every step on the first process.
    """
    begun = saved = time.monotonic()
    checkpoint = folder / "checkpoint.pt"
    while state.step < state.recipe.steps:
        now = time.monotonic()
        if any_process(now - begun > max_seconds or stop(), device):
            break
        if now - saved > CHECKPOINT_SECONDS and rank() == 0:
            state.save(checkpoint)
            saved = now
        result = train_step(state, pictures, device, autocast=autocast)
        if rank() == 0:
            report(result)
    if rank() == 0:
        state.save(checkpoint)
    return state.step >= state.recipe.steps


def train_step(state: TrainState, pictures: Pictures, device: torch.device, *, autocast: bool) -> Report:
    """One step, shared evenly by all processes; codebooks learn only from a stable one (see `StepResult`)."""
    count, lr_factor = state.recipe.accumulate, state.recipe.lr_factor(state.step)
    results, batches = [], []
    state.learner.optimizer.zero_grad(set_to_none=True)
    for number in range(count):
        result, lambdas = run_batch(state, pictures, device, process=rank(), number=number, autocast=autocast)
        torch.autograd.backward(result.loss / count)
        results.append(dataclasses.replace(result, loss=result.loss.detach()))
        batches.append((result.indices, lambdas))
    if not any_process(not all(bool(result.loss.isfinite()) for result in results), device):
        state.learner.step(lr_factor)
        if not any_process(not all(bool(result.stable) for result in results), device):
            observations = total_observations(results)
            sum_over_processes(observations)
            update_codebooks(state, observations, lr_factor)
            if state.prior is not None:
                state.prior.learn(state.network, batches, lr_factor)
        state.learner.update_average(state.step)
    state.step += 1
    return _report(state, results)


def run_batch(
    state: TrainState, pictures: Pictures, device: torch.device, *, process: int, number: int = 0, autocast: bool
) -> tuple[StepResult, Tensor]:
    """What batch `number` of a process at the present step gives, and its lambdas (B,); changes nothing."""
    recipe, step = state.recipe, state.step
    phase = recipe.phase(step)
    seed = (recipe.seed, step, process, number) if number else (recipe.seed, step, process)
    batch = pictures.batch(phase.batch, phase.crop, seed, recipe.network.condition).to(device)
    generator = _generator(seed)
    lambdas = draw_lambdas(state.network, phase.batch, generator).to(device)
    joint = state.prior is not None and step >= recipe.prior.joint_from
    prices = state.prior.prices(state.network, lambdas) if state.prior is not None and joint else None
    options = StepOptions(
        rate_warmup=recipe.rate_warmup(step),
        autocast=autocast,
        final_weight=recipe.loss.final_weight,
        relative=recipe.loss.relative,
        chain_dropout=recipe.loss.chain_dropout,
    )
    weight_map = recipe.visual.weight_map(batch.crops)
    result = walk(
        state.network,
        state.codebooks,
        batch,
        lambdas,
        options,
        prices=prices,
        weight_map=weight_map,
        generator=generator,
    )
    return result, lambdas


def update_codebooks(state: TrainState, observations: list[Tensor], lr_factor: float) -> None:
    """Add what all processes observed at the present step to the sums, and solve and split where it is time."""
    config, step = state.recipe.codebook, state.step
    closed_form = state.recipe.network.codebook == "gram-lloyd"
    generator = _generator((state.recipe.seed, step))
    solving = step >= config.solve_from
    for level, observed in enumerate(observations):
        book, layer = state.codebooks[level], state.network.layer(level)
        book.update(observed, config.decay_at(lr_factor))
        if closed_form and solving and step % config.solve_every == 0:
            book.solve(layer, config.ridge_cells)
        if solving and step % config.split_every == config.split_every - 1:
            extra = [] if closed_form else state.learner.rows_of(layer.codebook)
            if layer.choice_embedding is not None:
                extra += state.learner.rows_of(layer.choice_embedding)
            limit = layer.codebook.shape[0] // OUTPUTS_PER_SPLIT + 1
            book.split_and_prune(layer, extra, generator, config.prune_below, limit)


def _generator(seed: tuple[int, ...]) -> torch.Generator:
    return torch.Generator().manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]))


def _report(state: TrainState, results: list[StepResult]) -> Report:
    errors = torch.stack([result.errors for result in results]).mean(dim=0)
    psnr = tuple(min(psnr_of_error(error, SAMPLE_PEAK), PSNR_OF_A_COPY) for error in errors.tolist())
    usage = []
    for book in state.codebooks[: len(psnr)]:
        share = book.counts[1:] / book.counts[1:].sum()
        usage.append(float((-(share * share.clamp(min=1e-12).log()).sum()).exp() / share.numel()))
    levels = (torch.cat(indices) for indices in zip(*(result.indices for result in results)))
    taken = tuple(float((indices != 0).float().mean()) for indices in levels)
    loss = float(torch.stack([result.loss for result in results]).mean())
    return Report(state.step, loss, psnr, taken, tuple(usage))
