"""Training the index prior: the network of `bitstream.prior` in real numbers that are rounded as its integers are.

States count in 1/32, weights in 1/64 and logits in octaves, so that every sum is that of integers over 2048, and the
forward pass is the coder's, bit by bit. Rounding passes gradients as they are (straight-through).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bitstream import IndexPrior, LevelPrior
from ddncodec.errors import ArgumentError
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.model.layer import DiscreteDistributionLayer

STATE_UNIT, WEIGHT_UNIT = 32, 64
TOP = 127
LAMBDA_RANGE = 32
"""`bitstream.context.lambda_feature` spans -32..31."""
KERNELS = ("spatial", "pointwise", "neighbours", "neighbours_pointwise")
"""Matrices that are kernels (C_out, C_in, ...) of convolutions here."""
MATRICES = {
    **dict.fromkeys((*KERNELS, "head"), WEIGHT_UNIT),
    "index_embedding": STATE_UNIT,
    "anchor_embedding": STATE_UNIT,
}
"""The 8-bit matrices of a level, each with the number of its integers that make 1.0."""
BIASES = {
    **dict.fromkeys([f"{name}_bias" for name in (*KERNELS, "head")], STATE_UNIT * WEIGHT_UNIT),
    "lambda_weight": STATE_UNIT * WEIGHT_UNIT // LAMBDA_RANGE,
}
"""The same for the 32-bit vectors."""
BIAS_SPREAD, FEATURE_SPREAD = 0.5, 0.3
"""Standard deviations of biases, and of weights of codebook features, before training."""
FEATURE_RANGE = 4.0
"""Features of a codebook are clipped to this many standard deviations."""


class PriorLevel(nn.Module):
    """The weights of one level; names as in `bitstream.LevelPrior`."""

    def __init__(self, channels: int, outputs: int, features: int, generator: torch.Generator) -> None:
        super().__init__()
        c = channels

        def drawn(*shape: int, std: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape, generator=generator) * std)

        self.spatial = drawn(c, c, 3, 3, std=(9 * c) ** -0.5)
        self.neighbours = drawn(c, c, 4, std=(4 * c) ** -0.5)
        self.pointwise, self.neighbours_pointwise = nn.Parameter(torch.zeros(c, c)), nn.Parameter(torch.zeros(c, c))
        self.spatial_bias, self.neighbours_bias, self.lambda_weight = (drawn(c, std=BIAS_SPREAD) for _ in range(3))
        self.pointwise_bias, self.neighbours_pointwise_bias = nn.Parameter(torch.zeros(c)), nn.Parameter(torch.zeros(c))
        self.head, self.head_bias = nn.Parameter(torch.zeros(outputs, c)), nn.Parameter(torch.zeros(outputs))
        self.index_embedding = nn.Parameter(torch.zeros(outputs, c))
        self.anchor_embedding = nn.Parameter(torch.zeros(outputs, c))
        self.index_from_features, self.anchor_from_features = (
            drawn(features, c, std=FEATURE_SPREAD),
            drawn(features, c, std=FEATURE_SPREAD),
        )
        self.head_from_features = nn.Parameter(torch.zeros(features, c))

    def tables(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`index_embedding`, `anchor_embedding` and `head`, each (K, C), of outputs with the features (K, D)."""
        index = _rounded(self.index_embedding + features @ self.index_from_features, STATE_UNIT)
        anchor = _rounded(self.anchor_embedding + features @ self.anchor_from_features, STATE_UNIT)
        return index, anchor, _rounded(self.head + features @ self.head_from_features, WEIGHT_UNIT)

    def adopt(self, integers: LevelPrior) -> None:
        """Take these weights; what is derived from codebook features starts at zero."""
        channels = len(self.lambda_weight)
        for name, unit in (MATRICES | BIASES).items():
            values, parameter = _reals(getattr(integers, name), unit), getattr(self, name)
            if name in KERNELS:
                values = values.view(-1, channels, channels).permute(2, 1, 0)
            parameter.copy_((values.T if name == "head" else values).reshape(parameter.shape))
        for from_features in (self.index_from_features, self.anchor_from_features, self.head_from_features):
            from_features.zero_()

    def start_level(self, state: Tensor, step: Tensor) -> Tensor:
        """State (B, C, h, w) on this level's grid, conditioned on the 3 x 3 states around; `step` (B,) in [-1, 1)."""
        fine = _whole(self.lambda_weight, BIASES["lambda_weight"], torch.round)
        bias = _bias(self.spatial_bias) + fine * step[:, None]
        kernel = _rounded(self.spatial, WEIGHT_UNIT)
        sums = F.conv2d(state.contiguous(memory_format=torch.channels_last), kernel, padding=1)
        return self._added(state, _floored(sums + bias[:, :, None, None], 0.0), self.pointwise, self.pointwise_bias)

    def condition_on_anchors(self, state: Tensor, embedded: Tensor) -> Tensor:
        """The state with its non-anchors conditioned on the anchors around, of all cells embedded as (B, C, h, w)."""
        non_anchor = non_anchor_mask(state.shape[2:], state.device)
        (above, left, right, below), none = self.neighbours.unbind(2), torch.zeros_like(self.neighbours[..., 0])
        cross = torch.stack([none, above, none, left, none, right, none, below, none], dim=2).unflatten(2, (3, 3))
        sums = F.conv2d(embedded * ~non_anchor, _rounded(cross, WEIGHT_UNIT), padding=1)
        sums = sums + state + _bias(self.neighbours_bias)[:, None, None]
        hidden = _floored(sums, 0.0)
        added = self._added(state, hidden, self.neighbours_pointwise, self.neighbours_pointwise_bias)
        return torch.where(non_anchor, added, state)

    def octaves(self, states: Tensor, head: Tensor) -> Tensor:
        """Logits (n, K) to the base 2 of the indices of cells with these states (n, C); `head` as `tables` gives it."""
        return states @ head.T + _bias(self.head_bias)

    @staticmethod
    def _added(state: Tensor, hidden: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
        change = F.conv2d(hidden, _rounded(matrix, WEIGHT_UNIT)[:, :, None, None], _bias(bias))
        return _floored(state + change, -TOP / STATE_UNIT)


class PriorNetwork(nn.Module):
    """The index prior of a network in training."""

    def __init__(self, network: DiscreteDistributionNetwork, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(channels, generator=generator))
        self.cells = [level.cell for level in network.config.levels]
        self.levels = nn.ModuleList(
            PriorLevel(channels, len(features), features.shape[1], generator) for features in codebook_features(network)
        )

    def level(self, number: int) -> PriorLevel:
        """The weights of one level."""
        level = self.levels[number]
        assert isinstance(level, PriorLevel)
        return level

    def forward(self, planes: Sequence[Tensor], steps: Tensor, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Bits of nonzero and of the values of each level, (L,) each, over a batch; arguments as for `predict`."""
        bits = [_bits(*found, plane) for found, plane in zip(self.predict(planes, steps, features), planes)]
        nonzero, values = zip(*bits)
        return torch.stack(nonzero), torch.stack(values)

    def predict(
        self, planes: Sequence[Tensor], steps: Tensor, features: Sequence[Tensor]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """For each level the states (B, C, gh, gw), `head` (K, C) and its bias (K,), that give the logits in octaves.

        `planes` are indices (B, gh, gw) int64 of the first levels; `steps` (B,) the lambda feature of each picture,
        -32..31; `features` as `codebook_features` returns them.
        """
        state = self.initial_state(planes[0].shape)
        for number, plane in enumerate(planes):
            level = self.level(number)
            index, anchor, head = level.tables(features[number])
            state = self.start_level(number, state, steps)
            yield level.condition_on_anchors(state, embed(anchor, plane)), head, _bias(level.head_bias)
            state = self.finish_level(state, index, plane)

    def initial_state(self, shape: torch.Size) -> Tensor:
        """The state before the first level, for planes of `shape` (B, gh, gw)."""
        return _rounded(self.start, STATE_UNIT)[None, :, None, None].expand(shape[0], -1, *shape[1:])

    def start_level(self, number: int, state: Tensor, steps: Tensor) -> Tensor:
        """The state at level `number`, made from the state of the level before."""
        factor = self.cells[max(number - 1, 0)] // self.cells[number]
        state = F.interpolate(state, scale_factor=factor) if factor > 1 else state
        return self.level(number).start_level(state, steps / LAMBDA_RANGE)

    @staticmethod
    def finish_level(state: Tensor, index_embedding: Tensor, plane: Tensor) -> Tensor:
        """The state after a level, conditioned on its indices; `index_embedding` (K, C) as `PriorLevel.tables`."""
        return F.hardtanh(state + embed(index_embedding, plane), -TOP / STATE_UNIT, TOP / STATE_UNIT)

    @torch.no_grad()
    def export(self, features: Sequence[Tensor]) -> IndexPrior:
        """The prior in integers."""
        start = _integers(self.start, STATE_UNIT).clip(-TOP, TOP).astype(np.int8)
        levels = [self.level(number) for number in range(len(self.levels))]
        return IndexPrior(start, tuple(map(_export_level, levels, features)))

    @torch.no_grad()
    def adopt(self, prior: IndexPrior) -> None:
        """Begin with the integers of a prior.

        Raises:
            ArgumentError: it has another shape.
        """
        found = [tuple(each.index_embedding.shape) for each in prior.levels]
        levels = [self.level(number) for number in range(len(self.levels))]
        expected = [tuple(each.index_embedding.shape) for each in levels]
        if found != expected:
            raise ArgumentError("`init` has an index prior of another shape than the recipe's")
        self.start.copy_(_reals(prior.start, STATE_UNIT))
        for level, integers in zip(levels, prior.levels):
            level.adopt(integers)


@torch.no_grad()
def codebook_features(network: DiscreteDistributionNetwork) -> list[Tensor]:
    """Features of the outputs of each level, (K, D): cosine coefficients relative to the level's scale, and energy.

    With them the prior shares what it learns between similar outputs, and follows the codebook as training moves it.
    """
    return [_layer_features(network.layer(level)) for level in range(len(network.config.levels))]


def _layer_features(layer: DiscreteDistributionLayer) -> Tensor:
    weights = layer.codebook[:, : layer.cosines].flatten(1).float()
    shape = weights / weights[1:].square().mean(dim=0).sqrt().clamp(min=1e-6)
    energy = weights.square().sum(dim=1, keepdim=True).clamp(min=1e-9).log()
    energy = (energy - energy[1:].mean()) / energy[1:].std().clamp(min=1e-6)
    keep = torch.zeros_like(energy)
    keep[0] = FEATURE_RANGE
    features = torch.cat([shape, energy, keep], dim=1).clamp(-FEATURE_RANGE, FEATURE_RANGE)
    features[0, :-1] = 0
    return features / FEATURE_RANGE


def _bits(seen: Tensor, head: Tensor, bias: Tensor, plane: Tensor) -> tuple[Tensor, Tensor]:
    """Bits of nonzero and of all values of a plane."""
    nonzero = plane != 0
    cells = seen.permute(0, 2, 3, 1)
    logit = cells @ head[0] + bias[0]
    of_nonzero = F.softplus(torch.where(nonzero, -logit, logit) * math.log(2)).sum() / math.log(2)
    logits = cells[nonzero] @ head[1:].T + bias[1:]
    of_values = F.cross_entropy(logits * math.log(2), plane[nonzero] - 1, reduction="sum") / math.log(2)
    return of_nonzero, of_values


def embed(table: Tensor, plane: Tensor) -> Tensor:
    """Rows of `table` (K, C) for the indices of `plane` (B, gh, gw), (B, C, gh, gw)."""
    return F.embedding(plane, table).permute(0, 3, 1, 2)


def non_anchor_mask(shape: torch.Size, device: torch.device) -> Tensor:
    """A mask (rows, cols) of the non-anchors, the cells with row + col odd."""
    row, col = (torch.arange(side, device=device) for side in shape)
    return (row[:, None] + col) % 2 == 1


@lru_cache(maxsize=16)
def checkerboard(shape: torch.Size, device: torch.device) -> tuple[Tensor, Tensor]:
    """The positions of the anchors and of the non-anchors of planes of `shape` (B, rows, cols), in reading order."""
    non_anchor = non_anchor_mask(shape[1:], device).expand(shape).flatten()
    return torch.nonzero(~non_anchor)[:, 0], torch.nonzero(non_anchor)[:, 0]


def _rounded(weights: Tensor, unit: int) -> Tensor:
    """The nearest multiples of 1 / unit, within +-127 / unit."""
    return _whole(weights.clamp(-TOP / unit, TOP / unit), unit, torch.round)


def _bias(bias: Tensor) -> Tensor:
    return _whole(bias, STATE_UNIT * WEIGHT_UNIT, torch.round)


def _floored(sums: Tensor, low: float) -> Tensor:
    """States: multiples of 1/32, rounded down, within low and 127/32."""
    return F.hardtanh(_whole(sums, STATE_UNIT, torch.floor), low, TOP / STATE_UNIT)


def _whole(values: Tensor, unit: int, rounding: Callable[[Tensor], Tensor]) -> Tensor:
    """Multiples of 1 / unit, with a straight-through gradient."""
    return _Whole.apply(values, unit, rounding)  # type: ignore[no-untyped-call]  # torch has no types for it


class _Whole(torch.autograd.Function):
    """Rounding to multiples of 1 / unit, with a straight-through gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, unit: int, rounding: Callable[[Tensor], Tensor]) -> Tensor:
        return rounding(values * unit).div_(unit)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient, None, None


def _export_level(level: PriorLevel, features: Tensor) -> LevelPrior:
    index, anchor, head = level.tables(features)
    values = {name: getattr(level, name) for name in (*MATRICES, *BIASES)}
    values |= {"index_embedding": index, "anchor_embedding": anchor, "head": head.T}
    for name in KERNELS:
        channels = len(values[name])
        values[name] = values[name].reshape(channels, channels, -1).permute(2, 1, 0).reshape(-1, channels)
    fields: dict[str, Any] = {name: _integers(values[name], unit) for name, unit in BIASES.items()}
    for name, unit in MATRICES.items():
        fields[name] = _integers(values[name], unit).clip(-TOP, TOP).astype(np.int8)
    return LevelPrior(**fields)


def _integers(values: Tensor, unit: int) -> np.ndarray:
    return (values.detach().cpu() * unit).round().numpy().astype(np.int32)


def _reals(integers: np.ndarray, unit: int) -> Tensor:
    return torch.from_numpy(integers.astype(np.float32)) / unit
