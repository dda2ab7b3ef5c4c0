"""Training the index prior: the network of `bitstream.prior` in real numbers that are rounded as its integers are.

States count in 1/32, weights in 1/64 and logits in octaves, so that every sum is that of integers over 2048, and the
forward pass is the coder's, bit by bit. Rounding passes gradients as they are (straight-through).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
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
STEP_RANGE = 32
"""The step feature of `bitstream` spans -32..31."""
MATRICES = {
    **dict.fromkeys(("blend", "mix", "beside", "join", "head"), WEIGHT_UNIT),
    **dict.fromkeys(("codes", "even_codes"), STATE_UNIT),
}
"""Matrices of a level in 8 bits, and what their integers count."""
BIASES = {
    **dict.fromkeys(("blend_bias", "mix_bias", "beside_bias", "join_bias", "head_bias"), STATE_UNIT * WEIGHT_UNIT),
    "step": STATE_UNIT * WEIGHT_UNIT // STEP_RANGE,
}
"""The same of the 32-bit vectors."""
KERNELS = ("blend", "mix", "beside", "join")
"""Matrices that are kernels (C_out, C_in, ...) of convolutions here."""
MEANING_RANGE = 4.0


class PriorLevel(nn.Module):
    """The weights of one level; names as in `bitstream.LevelPrior`."""

    def __init__(self, channels: int, outputs: int, meaning: int, generator: torch.Generator) -> None:
        super().__init__()
        c = channels

        def drawn(*shape: int, std: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape, generator=generator) * std)

        self.blend = drawn(c, c, 3, 3, std=(9 * c) ** -0.5)
        self.beside = drawn(c, c, 4, std=(4 * c) ** -0.5)
        self.mix, self.join = nn.Parameter(torch.zeros(c, c)), nn.Parameter(torch.zeros(c, c))
        self.blend_bias, self.beside_bias, self.step = (drawn(c, std=0.5) for _ in range(3))
        self.mix_bias, self.join_bias = nn.Parameter(torch.zeros(c)), nn.Parameter(torch.zeros(c))
        self.head, self.head_bias = nn.Parameter(torch.zeros(outputs, c)), nn.Parameter(torch.zeros(outputs))
        self.codes, self.even_codes = nn.Parameter(torch.zeros(outputs, c)), nn.Parameter(torch.zeros(outputs, c))
        self.from_meaning, self.even_from_meaning = drawn(meaning, c, std=0.3), drawn(meaning, c, std=0.3)
        self.to_meaning = nn.Parameter(torch.zeros(meaning, c))

    def tables(self, meaning: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`codes`, `even_codes` and `head`, each (K, C), of outputs whose meaning is (K, D)."""
        codes = _rounded(self.codes + meaning @ self.from_meaning, STATE_UNIT)
        even = _rounded(self.even_codes + meaning @ self.even_from_meaning, STATE_UNIT)
        return codes, even, _rounded(self.head + meaning @ self.to_meaning, WEIGHT_UNIT)

    def adopt(self, integers: LevelPrior) -> None:
        """Take these weights; meanings add nothing to them at first."""
        channels = len(self.step)
        for name, unit in (MATRICES | BIASES).items():
            values, parameter = _reals(getattr(integers, name), unit), getattr(self, name)
            if name in KERNELS:
                values = values.view(-1, channels, channels).permute(2, 1, 0)
            parameter.copy_((values.T if name == "head" else values).reshape(parameter.shape))
        for of_meaning in (self.from_meaning, self.even_from_meaning, self.to_meaning):
            of_meaning.zero_()

    def enter(self, state: Tensor, step: Tensor) -> Tensor:
        """State (B, C, h, w) on this level's grid -> the state that knows what is around it; `step` (B,)."""
        fine = _Whole.apply(self.step, BIASES["step"], torch.round)
        bias = _bias(self.blend_bias) + fine * step[:, None]
        kernel = _rounded(self.blend, WEIGHT_UNIT)
        sums = F.conv2d(state.contiguous(memory_format=torch.channels_last), kernel, padding=1)
        return self._added(state, _floored(sums + bias[:, :, None, None], 0.0), self.mix, self.mix_bias)

    def reveal(self, state: Tensor, known: Tensor) -> Tensor:
        """The state, in odd cells with what they know of even ones, given the `even_codes` (B, C, h, w) of all."""
        odd = odd_cells(state.shape[2:], state.device)
        (above, left, right, below), none = self.beside.unbind(2), torch.zeros_like(self.beside[..., 0])
        cross = torch.stack([none, above, none, left, none, right, none, below, none], dim=2).unflatten(2, (3, 3))
        sums = F.conv2d(known * ~odd, _rounded(cross, WEIGHT_UNIT), padding=1)
        sums = sums + state + _bias(self.beside_bias)[:, None, None]
        return torch.where(odd, self._added(state, _floored(sums, 0.0), self.join, self.join_bias), state)

    @staticmethod
    def _added(state: Tensor, hidden: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
        change = F.conv2d(hidden, _rounded(matrix, WEIGHT_UNIT)[:, :, None, None], _bias(bias))
        return _floored(state + change, -TOP / STATE_UNIT)


class PriorPrices:
    """What the indices of one batch cost, level by level, in the eyes of a prior in training; no gradient."""

    def __init__(self, prior: PriorNetwork, meaning: Sequence[Tensor], steps: Tensor) -> None:
        self._prior, self._meaning, self._steps = prior, meaning, steps
        self._state: Tensor | None = None

    @torch.no_grad()
    def choose(self, number: int, shape: torch.Size, choose: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
        """Codes (B, gh, gw) of level `number`, of `shape`, made by `choose`, first for even cells, then for odd ones.

        `choose` gets the positions (n,) of cells among all of the batch, in reading order, bits of the values (n, K)
        and the extra bits of not keeping (n,), and returns n codes.
        """
        prior, level = self._prior, self._prior.levels[number]
        codes, even, head = level.tables(self._meaning[number])
        state = prior.enter(number, prior.begin(shape) if self._state is None else self._state, self._steps)
        plane = torch.zeros(shape, dtype=torch.int64, device=state.device)
        seen = state
        for cells in phases(shape, state.device):
            octaves = seen.permute(0, 2, 3, 1).flatten(0, 2)[cells] @ head.T + _bias(level.head_bias)
            total = torch.logsumexp(octaves[:, 1:] * math.log(2), dim=1, keepdim=True) / math.log(2)
            plane.view(-1)[cells] = choose(cells, total - octaves, -octaves[:, 0])
            seen = level.reveal(state, _looked_up(even, plane))
        self._state = prior.leave(state, codes, plane)
        return plane


class PriorNetwork(nn.Module):
    """The index prior of a network in training."""

    def __init__(self, network: DiscreteDistributionNetwork, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(channels, generator=generator))
        self.cells = [level.cell for level in network.config.levels]
        self.levels = nn.ModuleList(
            PriorLevel(channels, len(meaning), meaning.shape[1], generator) for meaning in meanings(network)
        )

    def forward(self, planes: Sequence[Tensor], steps: Tensor, meaning: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Bits of the flags and of the values of each level, (L,) each, over a batch; arguments as for `foresee`."""
        bits = [_bits(*found, plane) for found, plane in zip(self.foresee(planes, steps, meaning), planes)]
        flags, values = zip(*bits)
        return torch.stack(flags), torch.stack(values)

    def foresee(
        self, planes: Sequence[Tensor], steps: Tensor, meaning: Sequence[Tensor]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """For each level the states (B, C, gh, gw), `head` (K, C) and its bias (K,), that give the logits in octaves.

        `planes` are indices (B, gh, gw) int64 of the first levels; `steps` (B,) the step feature of each picture,
        -32..31; `meaning` as `meanings` returns it.
        """
        state = self.begin(planes[0].shape)
        for number, plane in enumerate(planes):
            level = self.levels[number]
            codes, even, head = level.tables(meaning[number])
            state = self.enter(number, state, steps)
            yield level.reveal(state, _looked_up(even, plane)), head, _bias(level.head_bias)
            state = self.leave(state, codes, plane)

    def begin(self, shape: torch.Size) -> Tensor:
        """The state before the first level, for planes of `shape` (B, gh, gw)."""
        return _rounded(self.start, STATE_UNIT)[None, :, None, None].expand(shape[0], -1, *shape[1:])

    def enter(self, number: int, state: Tensor, steps: Tensor) -> Tensor:
        """The state at level `number`, of what the state before knew."""
        factor = self.cells[max(number - 1, 0)] // self.cells[number]
        state = F.interpolate(state, scale_factor=factor) if factor > 1 else state
        level: PriorLevel = self.levels[number]
        return level.enter(state, steps / STEP_RANGE)

    @staticmethod
    def leave(state: Tensor, codes: Tensor, plane: Tensor) -> Tensor:
        """The state once the indices are known; `codes` (K, C) is the level's table."""
        return F.hardtanh(state + _looked_up(codes, plane), -TOP / STATE_UNIT, TOP / STATE_UNIT)

    @torch.no_grad()
    def export(self, meaning: Sequence[Tensor]) -> IndexPrior:
        """The prior in integers."""
        start = _integers(self.start, STATE_UNIT).clip(-TOP, TOP).astype(np.int8)
        return IndexPrior(start, tuple(map(_export_level, self.levels, meaning)))

    @torch.no_grad()
    def adopt(self, prior: IndexPrior) -> None:
        """Begin with the integers of a prior. Raises ArgumentError unless it has this shape."""
        found = [tuple(each.codes.shape) for each in prior.levels]
        expected = [tuple(each.codes.shape) for each in self.levels]
        if found != expected:
            raise ArgumentError("`init` has an index prior of another shape than the recipe's")
        self.start.copy_(_reals(prior.start, STATE_UNIT))
        for level, integers in zip(self.levels, prior.levels):
            level.adopt(integers)


@torch.no_grad()
def meanings(network: DiscreteDistributionNetwork) -> list[Tensor]:
    """What the outputs of each level are, (K, D): their cosine coefficients, to the level's scale, and their strength.

    It lets what is learned of one output serve those like it, and follow the codebook as it moves.
    """
    return [_meaning(network.layer(level)) for level in range(len(network.config.levels))]


def _meaning(layer: DiscreteDistributionLayer) -> Tensor:
    weights = layer.codebook[:, : layer.cosines].flatten(1).float()
    shape = weights / weights[1:].square().mean(dim=0).sqrt().clamp(min=1e-6)
    strength = weights.square().sum(dim=1, keepdim=True).clamp(min=1e-9).log()
    strength = (strength - strength[1:].mean()) / strength[1:].std().clamp(min=1e-6)
    keep = torch.zeros_like(strength)
    keep[0] = MEANING_RANGE
    all_of_them = torch.cat([shape, strength, keep], dim=1).clamp(-MEANING_RANGE, MEANING_RANGE)
    all_of_them[0, :-1] = 0
    return all_of_them / MEANING_RANGE


def _bits(seen: Tensor, head: Tensor, bias: Tensor, plane: Tensor) -> tuple[Tensor, Tensor]:
    """Bits of all flags and of all values of a plane."""
    taken = plane != 0
    cells = seen.permute(0, 2, 3, 1)
    flag = cells @ head[0] + bias[0]
    of_flags = F.softplus(torch.where(taken, -flag, flag) * math.log(2)).sum() / math.log(2)
    logits = cells[taken] @ head[1:].T + bias[1:]
    of_values = F.cross_entropy(logits * math.log(2), plane[taken] - 1, reduction="sum") / math.log(2)
    return of_flags, of_values


def _looked_up(table: Tensor, plane: Tensor) -> Tensor:
    return F.embedding(plane, table).permute(0, 3, 1, 2)


def odd_cells(shape: torch.Size, device: torch.device) -> Tensor:
    """A mask (rows, cols) of the cells of the second phase."""
    row, col = (torch.arange(side, device=device) for side in shape)
    return (row[:, None] + col) % 2 == 1


@cache
def phases(shape: torch.Size, device: torch.device) -> tuple[Tensor, Tensor]:
    """The positions of the even cells and of the odd ones of planes of `shape` (B, rows, cols), in reading order."""
    odd = odd_cells(shape[1:], device).expand(shape).flatten()
    return torch.nonzero(~odd)[:, 0], torch.nonzero(odd)[:, 0]


def _rounded(weights: Tensor, unit: int) -> Tensor:
    """The nearest multiples of 1 / unit, within +-127 / unit."""
    return _Whole.apply(weights.clamp(-TOP / unit, TOP / unit), unit, torch.round)


def _bias(bias: Tensor) -> Tensor:
    return _Whole.apply(bias, STATE_UNIT * WEIGHT_UNIT, torch.round)


def _floored(sums: Tensor, low: float) -> Tensor:
    """States: multiples of 1/32, rounded down, within low and 127/32."""
    return F.hardtanh(_Whole.apply(sums, STATE_UNIT, torch.floor), low, TOP / STATE_UNIT)


class _Whole(torch.autograd.Function):
    """Rounding to multiples of 1 / unit that gradients do not notice."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, unit: int, rounding: Callable[[Tensor], Tensor]) -> Tensor:
        return rounding(values * unit).div_(unit)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient, None, None


def _export_level(level: PriorLevel, meaning: Tensor) -> LevelPrior:
    codes, even, head = level.tables(meaning)
    values = {name: getattr(level, name) for name in (*MATRICES, *BIASES)}
    values |= {"codes": codes, "even_codes": even, "head": head.T}
    for name in KERNELS:
        channels = len(values[name])
        values[name] = values[name].reshape(channels, channels, -1).permute(2, 1, 0).reshape(-1, channels)
    matrices = {name: _integers(values[name], unit).clip(-TOP, TOP).astype(np.int8) for name, unit in MATRICES.items()}
    return LevelPrior(**matrices, **{name: _integers(values[name], unit) for name, unit in BIASES.items()})


def _integers(values: Tensor, unit: int) -> np.ndarray:
    return (values.detach().cpu() * unit).round().numpy().astype(np.int32)


def _reals(integers: np.ndarray, unit: int) -> Tensor:
    return torch.from_numpy(integers.astype(np.float32)) / unit
