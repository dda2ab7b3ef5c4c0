"""The training loop: steps, codebook updates, checkpoints, log. What a step computes is `step.walk`'s business."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ddncodec.training.data.pictures import Pictures
from ddncodec.training.processes import average_gradients, rank, sum_over_processes
from ddncodec.training.state import TrainState
from ddncodec.training.step import StepResult, draw_lambdas, walk

CHECKPOINT_SECONDS = 180.0


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
        if _agreed(now - begun > max_seconds or stop(), device):
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
    recipe, step = state.recipe, state.step
    phase = recipe.phase(step)
    seed = (recipe.seed, step, rank())
    batch = pictures.batch(phase.batch, phase.crop, seed, recipe.network.condition).to(device)
    generator = _generator(seed)
    lambdas = draw_lambdas(state.network, phase.batch, generator).to(device)
    joint = state.prior is not None and step >= recipe.joint_from
    result = walk(
        state.network,
        list(state.codebooks),
        batch.crops,
        lambdas,
        condition=batch.condition,
        rate_warmup=_rate_warmup(state),
        final_weight=recipe.final_weight,
        autocast=autocast,
        relative=recipe.relative,
        chain_dropout=recipe.chain_dropout,
        generator=generator,
        prices=state.prior.prices(state.network, lambdas) if joint else None,
    )
    lr_factor = recipe.lr_factor(step)
    if not _agreed(not bool(result.loss.isfinite()), device):
        _descend(state, result.loss, lr_factor)
        if not _agreed(not result.stable, device):
            _update_codebooks(state, result.observations, lr_factor)
            if state.prior is not None:
                state.prior.learn(state.network, result.indices, lambdas, lr_factor)
        state.update_average()
    state.step += 1
    return _report(state, result)


def _descend(state: TrainState, loss: Tensor, lr_factor: float) -> None:
    """AdamW on the mean gradient over processes, clipped to norm 1."""
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    average_gradients(state.trained)
    torch.nn.utils.clip_grad_norm_(state.trained, 1.0)
    for group in state.optimizer.param_groups:
        group["lr"] = state.recipe.learning_rate * lr_factor
    state.optimizer.step()


def _update_codebooks(state: TrainState, observations: list[Tensor], lr_factor: float) -> None:
    recipe = state.recipe
    sum_over_processes(observations)
    decay = recipe.codebook_decay_late + (recipe.codebook_decay - recipe.codebook_decay_late) * lr_factor
    generator = _generator((recipe.seed, state.step))
    solving = state.step >= recipe.solve_from
    for level, observed in enumerate(observations):
        book, layer = state.codebooks[level], state.network.layer(level)
        book.update(observed, decay)
        closed_form = recipe.network.codebook == "gram-lloyd"
        if closed_form and solving and state.step % recipe.solve_every == 0:
            book.solve(layer, recipe.ridge_cells)
        if solving and state.step % recipe.split_every == recipe.split_every - 1:
            extra = state.rows_of(layer.codebook) if not closed_form else []
            if layer.choice_embedding is not None:
                extra += state.rows_of(layer.choice_embedding)
            book.split_and_prune(layer, extra, generator, recipe.prune_below, limit=layer.codebook.shape[0] // 16 + 1)


def _generator(seed: tuple[int, ...]) -> torch.Generator:
    return torch.Generator().manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]))


def _rate_warmup(state: TrainState) -> tuple[float, ...]:
    """For every stage in training, the share of the price of bits that it pays; rises linearly after it starts."""
    phases = state.recipe.phases
    stages = state.recipe.phase(state.step).stages
    starts = [max((p.until for p in phases if p.stages <= stage), default=0) for stage in range(stages)]
    return tuple(min(1.0, (state.step - start + 1) / state.recipe.rate_warmup_steps) for start in starts)


def _report(state: TrainState, result: StepResult) -> Report:
    psnr = 10 * torch.log10(4 / result.errors.clamp(min=1e-9))
    usage = []
    for book in list(state.codebooks)[: len(result.errors)]:
        share = book.counts[1:] / book.counts[1:].sum()
        usage.append(float((-(share * share.clamp(min=1e-12).log()).sum()).exp() / share.numel()))
    taken = tuple(float((indices != 0).float().mean()) for indices in result.indices)
    return Report(state.step, float(result.loss.detach()), tuple(psnr.tolist()), taken, tuple(usage))


def _agreed(mine: bool, device: torch.device) -> bool:
    """Whether any process wants to stop, so that all stop at the same step."""
    flag = torch.tensor([float(mine)], device=device)
    sum_over_processes([flag])
    return bool(flag.item())
