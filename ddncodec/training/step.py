"""One training step: walk the levels, choose indices greedily, gather the loss and the codebook observations."""

from __future__ import annotations

import dataclasses
from functools import partial

import torch
from torch import Tensor

from ddncodec.coding.selection import least_cost_indices, price_unit
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.model.cells import pack, shrink, to_cells
from ddncodec.model.gram import moments, terms
from ddncodec.training.codebooks import CodebookState
from ddncodec.training.prior import PriorPrices

REFERENCE_LAMBDA = 512.0
FLOOR_ERROR, FLOOR_POWER = 7e-4, 0.46
"""The loss of a squared error e is LOSS_SCALE * log(1 + e / floor).

floor = FLOOR_ERROR * (lambda / REFERENCE_LAMBDA) ** FLOOR_POWER grows with lambda and is a quarter of the typical error
at that lambda. Well above it the loss is logarithmic, so 1 dB counts the same in every picture.
"""
USUAL_ERROR = 5 * FLOOR_ERROR
"""Cells weigh 1 in the sums of codebooks where the error of their picture and the floor add up to this."""
LOSS_SCALE = 4e-2
"""Keeps usual gradients a little below the norm at which they are clipped, and those of rare pictures with them."""
LAMBDA_LEAN = 1.2
"""Exponent on the uniform draw that places lambda in its log range; above 1 favours small lambdas."""
RENDER_WEIGHT = 0.1
GROWTH = 4.0


@dataclasses.dataclass(frozen=True)
class StepResult:
    """What one batch gave: the loss, and for each level its squared error, indices (B, gh, gw) and observations.

    `stable` is false where the error grew beyond GROWTH times within a stage or from one to the next, or is no number.
    Choices lessen it, so something went wrong: in the arithmetic, or in a trunk that overshoots on a rare picture. The
    trunk learns from that, its gradients being clipped; the sums of codebooks would be spoilt for hundreds of steps.
    """

    loss: Tensor
    stable: Tensor
    errors: Tensor
    indices: list[Tensor]
    observations: list[Tensor]


def draw_lambdas(network: DiscreteDistributionNetwork, count: int, generator: torch.Generator) -> Tensor:
    """Lambdas (count,) over the network's range, their logarithms nearly uniform."""
    low, high = network.config.smallest_lambda, network.config.largest_lambda
    return low * (high / low) ** torch.rand(count, generator=generator) ** LAMBDA_LEAN


def walk(
    network: DiscreteDistributionNetwork,
    codebooks: list[CodebookState],
    pictures: Tensor,
    lambdas: Tensor,
    *,
    rate_warmup: tuple[float, ...],
    final_weight: float,
    autocast: bool,
    condition: Tensor | None = None,
    relative: bool = False,
    chain_dropout: float = 0.0,
    generator: torch.Generator | None = None,
    prices: PriorPrices | None = None,
) -> StepResult:
    """Encode `pictures` (B, 3, H, W) with the first `len(rate_warmup)` stages, differentiably.

    `condition` is as for `DiscreteDistributionNetwork.initial_state`. `rate_warmup` in [0, 1], one number a stage,
    scales the price of bits while codebooks are young. Bits are those of `prices`, or of how often each index was
    chosen lately.
    A share `chain_dropout` of the cells, drawn from `generator`, goes on from a random output; each level's error is
    still that of the output chosen. The loss is the mean, over the levels of each stage, of what their squared errors
    against the picture at that stage's size count, or with `relative` of the logarithms of these; the last level counts
    `final_weight` times as much as each of the others. Cells weigh in the sums of codebooks as the error of their
    picture does in the loss (all the same with `relative`), so that both are solved for the same end.
    """
    state = network.initial_state(lambdas, pictures.shape[2], pictures.shape[3], condition)
    error_floor = FLOOR_ERROR * (lambdas / REFERENCE_LAMBDA) ** FLOOR_POWER
    t = state.rate_condition[:, 0]
    loss = pictures.new_zeros(())
    errors, chosen, observations, stable = [], [], [], pictures.new_ones((), dtype=torch.bool)
    before = pictures.new_full((), torch.inf)
    for stage, warmup in enumerate(rate_warmup):
        scale = network.config.stages[stage].scale
        target = pack(shrink(pictures, scale))
        count = len(network.config.stages[stage].levels)
        for index in range(count):
            with torch.autocast(pictures.device.type, torch.bfloat16, enabled=autocast):
                proposal = network.propose(state)
            level = state.level
            layer = network.layer(level)
            with torch.no_grad():
                cells = moments(proposal.features, to_cells(target - proposal.image, layer.side, layer.colors))
                price = price_unit(lambdas, scale) * warmup
                candidates = terms(layer.codebook, layer.cosines)
                indices = (
                    _choose(cells, candidates, codebooks[level], price, t)
                    if prices is None
                    else prices.choose(level, cells.shape[:3], partial(_choose_by_prior, cells, candidates, price))
                )
            state = network.advance(proposal, indices)
            error = (state.image - target).square().mean(dim=(1, 2, 3))
            slope = torch.ones_like(error_floor) if relative else USUAL_ERROR / (error_floor + error.detach())
            observations.append(codebooks[level].observe(cells, indices, t, slope))
            share = final_weight if index == count - 1 else 1.0
            cost = error.log() if relative else LOSS_SCALE * (error / error_floor).log1p()
            loss = loss + share / (count - 1 + final_weight) * cost.mean()
            errors.append(error.detach().mean())
            chosen.append(indices)
            if chain_dropout:
                state = network.advance(proposal, _drop(indices, layer.codebook.shape[0], chain_dropout, generator))
        stable &= (errors[-1] < GROWTH * errors[-count]) & (errors[-count] < GROWTH * before)
        if scale > 1:
            with torch.autocast(pictures.device.type, torch.bfloat16, enabled=autocast):
                rendered = network.render(state)
            error = (rendered - pictures).square().mean(dim=(1, 2, 3))
            cost = LOSS_SCALE * (error / error_floor).log1p()
            loss, before = loss + RENDER_WEIGHT * cost.mean(), error.detach().mean()
    return StepResult(loss, stable & loss.isfinite(), torch.stack(errors), chosen, observations)


def _choose(cells: Tensor, candidates: Tensor, state: CodebookState, price: Tensor, t: Tensor) -> Tensor:
    """Greedy rate-distortion choice for moments (B, gh, gw, D) at prices (B,) -> indices (B, gh, gw)."""
    grid = cells.shape[:3]
    each = grid[1] * grid[2]
    prices = (price[:, None] * state.value_bits()).repeat_interleave(each, dim=0)
    threshold = (price * state.nonzero_bits(t)).repeat_interleave(each)
    return least_cost_indices(cells.flatten(0, 2), candidates, prices, threshold).view(grid)


def _choose_by_prior(
    cells: Tensor, candidates: Tensor, price: Tensor, places: Tensor, values: Tensor, flags: Tensor
) -> Tensor:
    """The same for the n cells at `places` (n,) of the batch, at bits of values (n, K) and flags (n,) -> (n,)."""
    each = price[places // (cells.shape[1] * cells.shape[2])]
    return least_cost_indices(cells.flatten(0, 2)[places], candidates, each[:, None] * values, each * flags)


def _drop(indices: Tensor, outputs: int, share: float, generator: torch.Generator | None) -> Tensor:
    """Indices in [0, outputs), of which a share is replaced by random ones: chain dropout (Yang 2025)."""
    drawn = torch.randint(outputs, indices.shape, generator=generator).to(indices)
    return torch.where((torch.rand(indices.shape, generator=generator) < share).to(indices.device), drawn, indices)
