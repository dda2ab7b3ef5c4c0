"""One training step: walk the levels, choose indices greedily, gather the loss and the codebook observations."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from ddncodec.coding.distortion import Distortion
from ddncodec.coding.selection import price_unit
from ddncodec.coding.visual_weights import WeightMap, distortion
from ddncodec.model import DiscreteDistributionNetwork, Proposal, State
from ddncodec.model.cells import pack, shrink, to_cells
from ddncodec.training.codebooks import CodebookState
from ddncodec.training.data.pictures import Batch
from ddncodec.training.prices import CodebookPrices, Prices

REFERENCE_LAMBDA = 512.0
FLOOR_ERROR, FLOOR_POWER = 7e-4, 0.46
"""The floor of squared errors in the loss is FLOOR_ERROR * (lambda / REFERENCE_LAMBDA) ** FLOOR_POWER."""
USUAL_ERROR = 5 * FLOOR_ERROR
"""Cells weigh 1 in the sums of codebooks where the error of their picture and the floor add up to this."""
LOSS_SCALE = 4e-2
"""Keeps usual gradients a little below the norm at which they are clipped, and those of rare pictures with them."""
LAMBDA_LEAN = 1.2
"""Exponent on the uniform draw that places lambda in its log range; above 1 favours small lambdas."""
RENDER_WEIGHT = 0.1
"""Weight in the loss of the full-size picture that a coarse stage renders."""
GROWTH = 4.0
"""A step is not stable where an error grows beyond this factor."""


@dataclasses.dataclass(frozen=True)
class Loss:
    """The loss of squared errors of pictures at their lambdas: LOSS_SCALE * log(1 + error / floor).

    `floor` (B,) grows with lambda and is a quarter of the typical error at that lambda. Well above it the loss is
    logarithmic, so 1 dB counts the same in every picture. `relative` takes the plain logarithm of errors instead.
    """

    floor: Tensor
    relative: bool = False

    @staticmethod
    def at(lambdas: Tensor, *, relative: bool) -> Loss:
        """The loss of pictures at `lambdas` (B,)."""
        return Loss(FLOOR_ERROR * (lambdas / REFERENCE_LAMBDA) ** FLOOR_POWER, relative)

    def of(self, error: Tensor) -> Tensor:
        """The loss (B,) of mean squared errors (B,) in squared network samples."""
        return error.log() if self.relative else LOSS_SCALE * (error / self.floor).log1p()

    def weights(self, error: Tensor) -> Tensor:
        """Weights (B,) of cells in the sums of codebooks, in proportion to the slope of the loss.

        Loss and codebooks are then solved for the same end. With `relative`, all weigh the same.
        """
        return torch.ones_like(self.floor) if self.relative else USUAL_ERROR / (self.floor + error)


@dataclasses.dataclass(frozen=True)
class StepOptions:
    """How a batch is encoded in training."""

    # For each stage in training, the share of the price of bits that it pays, in [0, 1].
    rate_warmup: tuple[float, ...]
    # Convolve in bfloat16.
    autocast: bool
    # As in `config.LossConfig`.
    final_weight: float = 1.0
    relative: bool = False
    chain_dropout: float = 0.0


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


def total_observations(results: Sequence[StepResult]) -> list[Tensor]:
    """The observations of each level, added up over batches."""
    return [torch.stack(parts).sum(dim=0) for parts in zip(*(result.observations for result in results))]


def draw_lambdas(network: DiscreteDistributionNetwork, count: int, generator: torch.Generator) -> Tensor:
    """Lambdas (count,) over the network's range, their logarithms nearly uniform."""
    low, high = network.config.smallest_lambda, network.config.largest_lambda
    return low * (high / low) ** torch.rand(count, generator=generator) ** LAMBDA_LEAN


def walk(
    network: DiscreteDistributionNetwork,
    codebooks: Sequence[CodebookState],
    batch: Batch,
    lambdas: Tensor,
    options: StepOptions,
    *,
    prices: Prices | None = None,
    weight_map: WeightMap | None = None,
    generator: torch.Generator | None = None,
) -> StepResult:
    """Encode a batch with the first `len(options.rate_warmup)` stages at `lambdas` (B,), differentiably.

    Bits are those of `prices`, or of how often each index was chosen lately. The loss is the mean, over the levels of
    each stage, of the loss of their squared errors against the picture at that stage's size. With chain dropout, drawn
    from `generator`, each level's error is still that of the output chosen. With a `weight_map`, errors are weighted
    and `codebooks` are those of luma and chroma (see `CodebookState`).
    """
    pictures = batch.crops
    state = network.initial_state(lambdas, pictures.shape[2], pictures.shape[3], batch.condition)
    loss, t = Loss.at(lambdas, relative=options.relative), state.rate_condition[:, 0]
    prices = prices or CodebookPrices(codebooks, t)
    total, stable = pictures.new_zeros(()), pictures.new_ones((), dtype=torch.bool)
    before = pictures.new_full((), torch.inf)
    errors: list[Tensor] = []
    chosen: list[Tensor] = []
    observations: list[Tensor] = []
    for stage, warmup in enumerate(options.rate_warmup):
        scale, count = network.config.stages[stage].scale, len(network.config.stages[stage].levels)
        target, unit = pack(shrink(pictures, scale)), price_unit(lambdas, scale) * warmup
        for index in range(count):
            level, layer = state.level, network.layer(state.level)
            measure = distortion(weight_map, layer, scale)
            proposal, cells, indices = _choose(network, state, target, measure, prices, unit, options.autocast)
            state = network.advance(proposal, indices)
            left = measure.residual(to_cells(state.image - target, layer.side, layer.colors))
            error = measure.errors(left).sum(dim=(1, 2)) / target[0].numel()
            observations.append(codebooks[level].observe(cells, indices, t, loss.weights(error.detach())))
            share = options.final_weight if index == count - 1 else 1.0
            total = total + share / (count - 1 + options.final_weight) * loss.of(error).mean()
            errors.append(error.detach().mean())
            chosen.append(indices)
            if options.chain_dropout:
                outputs = layer.codebook.shape[0]
                state = network.advance(proposal, _drop(indices, outputs, options.chain_dropout, generator))
        stable &= (errors[-1] < GROWTH * errors[-count]) & (errors[-count] < GROWTH * before)
        if scale > 1:
            with torch.autocast(pictures.device.type, torch.bfloat16, enabled=options.autocast):
                rendered = network.render(state)
            error = (rendered - pictures).square().mean(dim=(1, 2, 3))
            total, before = total + RENDER_WEIGHT * loss.of(error).mean(), error.detach().mean()
    return StepResult(total, stable & total.isfinite(), torch.stack(errors), chosen, observations)


def _choose(
    network: DiscreteDistributionNetwork,
    state: State,
    target: Tensor,
    measure: Distortion,
    prices: Prices,
    unit: Tensor,
    autocast: bool,
) -> tuple[Proposal, Tensor, Tensor]:
    """The proposal of the next level, the moments (B, gh, gw, D) of its cells, and the indices of least cost."""
    with torch.autocast(target.device.type, torch.bfloat16, enabled=autocast):
        proposal = network.propose(state)
    layer = network.layer(state.level)
    with torch.no_grad():
        residual = measure.residual(to_cells(target - proposal.image, layer.side, layer.colors))
        cells = measure.apart(measure.moments(proposal.features, residual), layer.cosines, layer.learned)
        candidates = measure.terms_apart(layer.codebook, layer.cosines)
        return proposal, cells, prices.choose(state.level, cells, candidates, unit)


def _drop(indices: Tensor, outputs: int, share: float, generator: torch.Generator | None) -> Tensor:
    """Indices in [0, outputs), of which a share is replaced by random ones: chain dropout (Yang 2025)."""
    drawn = torch.randint(outputs, indices.shape, generator=generator).to(indices)
    return torch.where((torch.rand(indices.shape, generator=generator) < share).to(indices.device), drawn, indices)
