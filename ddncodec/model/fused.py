"""A trained network on a processor, with the kernels of oneDNN (see `kernels`).

It computes what `DiscreteDistributionNetwork` does, up to rounding, and differs in how:

* all tensors are channels last, so that a 1x1 convolution is a matrix product over positions;
* a block runs in strips of rows that the cache holds, and overwrites trunk and picture where the caller allows it;
* the condition on lambda and the embedding of a level are part of the bias of the 3x3 convolution;
* what index 0 adds to the trunk is part of the bias of `out`, so that only cells that do not keep are touched again.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ddncodec.model.cells import PACKED, enlarge
from ddncodec.model.gram import Features
from ddncodec.model.kernels import Convolution, Linear, convolution, linear
from ddncodec.model.layer import GAIN_RANGE, DiscreteDistributionLayer
from ddncodec.model.network import DiscreteDistributionNetwork, Proposal, Stage, State
from ddncodec.model.rows import filled, positions, rows_of

STRIP_NUMBERS = 1 << 18
"""Of trunk and picture in a strip of rows: it and what is made of it fit the second-level cache."""
CHUNK_NUMBERS = 1 << 18
"""Of the features of the cells that are changed at once."""


@dataclasses.dataclass(frozen=True)
class FusedBlock:
    """A trunk block: `mix` (3x3, GELU), `out` and `to_base` (1x1). `rate_weight` and `rate_bias` make its bias."""

    mix: Convolution
    rate_weight: Tensor
    rate_bias: Tensor
    out: Linear
    to_base: Linear

    def biases(self, rate_condition: Tensor, dtype: torch.dtype) -> list[Tensor]:
        """The bias of `mix` (C,) for each picture of rate_condition (B, 2); only one where all are the same."""
        if bool((rate_condition == rate_condition[0]).all()):
            rate_condition = rate_condition[:1]
        return list((rate_condition @ self.rate_weight.T + self.rate_bias).to(dtype))


@dataclasses.dataclass(frozen=True)
class FusedLevel:
    """One level.

    `moved` (K, C) is what an index adds to the trunk beyond what index 0 adds, None without choice embedding. `still`
    (C,) is what index 0 adds, where no block has it in its bias.
    """

    layer: DiscreteDistributionLayer
    block: FusedBlock | None
    to_gains: Linear
    to_learned: Linear | None
    basis: Tensor
    still: Tensor | None
    moved: Tensor | None

    def features(self, trunk: Tensor) -> tuple[Tensor, Tensor]:
        """Gains (n, nd) and learned images (n, P, Fl) of cells with trunk (n, side * side, C)."""
        pooled = trunk[:, 0] if self.layer.side == 1 else trunk.mean(dim=1)
        gains = self.to_gains(pooled).float().div_(GAIN_RANGE).tanh_().mul_(GAIN_RANGE).exp_()
        pixels = self.basis.shape[1]
        if self.to_learned is None:
            return gains, gains.new_zeros(len(trunk), pixels, 0)
        return gains, self.to_learned(trunk.flatten(0, 1)).float().view(len(trunk), pixels, self.layer.learned)

    def changes(self, trunk: Tensor, indices: Tensor) -> Tensor:
        """W_k F of cells with trunk (n, side * side, C) and indices (n,), as rows (n * side * side, 48)."""
        gains, learned = self.features(trunk)
        features = Features(gains[None, None], self.basis, learned[None, None])
        return features.combine(self.layer.codebook.index_select(0, indices)[None, None]).reshape(-1, PACKED)


@dataclasses.dataclass(frozen=True)
class TrunkFeatures:
    """The features of the cells of a trunk (B, C, h, w), made when they are asked for: together they are large."""

    level: FusedLevel
    hidden: Tensor

    @property
    def basis(self) -> Tensor:
        """The cosine images, (nd, P)."""
        return self.level.basis

    @property
    def grid(self) -> torch.Size:
        """Batch, rows and columns of cells."""
        batch, _, height, width = self.hidden.shape
        return torch.Size((batch, height // self.level.layer.side, width // self.level.layer.side))

    def take(self, rows: Tensor) -> TrunkFeatures:
        """The features of these rows (n,) of the batch, which may repeat."""
        return TrunkFeatures(self.level, self.hidden[rows].contiguous(memory_format=torch.channels_last))

    def part(self, cells: slice) -> tuple[Tensor, Tensor]:
        """Gains (n, nd) and learned images (n, P, Fl) of some cells, numbered in the order of the grid."""
        side, rows = self.level.layer.side, rows_of(self.hidden)
        if side == 1:
            return self.level.features(rows[cells, None])
        numbers = torch.arange(self.grid.numel())[cells]
        trunk = rows.index_select(0, positions(numbers, self.grid, side))
        return self.level.features(trunk.view(len(numbers), side * side, -1))


class FusedBackend:
    """A network that does not change any more. `follow` overwrites the state that it is given."""

    @torch.no_grad()
    def __init__(self, network: DiscreteDistributionNetwork, precision: torch.dtype) -> None:
        self.network, self.precision = network, precision
        components = network.stage(0).principal.images if network.config.stages[0].principal else None
        self._levels = [self._level(network.layer(level), components) for level in range(len(network.places))]
        self._enters = [None, *(self._enter_weights(network.stage(each)) for each in range(1, len(network.stages)))]

    @torch.inference_mode()
    def follow(self, state: State, indices: Tensor) -> State:
        """The state after the next level, for indices that are known before."""
        level = self._levels[state.level]
        hidden, image = self._enter(state)
        if level.block is not None:
            self._run_block(level.block, hidden, image, hidden, image, state.rate_condition)
        self._change(level, hidden, image, indices)
        return State(state.level + 1, hidden, image, state.rate_condition)

    @torch.inference_mode()
    def propose(self, state: State) -> Proposal:
        """What the next level offers; `state` stays as it is."""
        level = self._levels[state.level]
        hidden, image = self._enter(state)
        if level.block is not None:
            before = hidden, image
            hidden, image = torch.empty_like(hidden), torch.empty_like(image)
            self._run_block(level.block, *before, hidden, image, state.rate_condition)
        return Proposal(state.level, hidden, image, state.rate_condition, TrunkFeatures(level, hidden))

    @torch.inference_mode()
    def advance(self, proposal: Proposal, indices: Tensor) -> State:
        """The state after candidate `indices` (B, gh, gw) int64 in every cell; `proposal` stays as it is."""
        keep = {"memory_format": torch.channels_last}
        hidden, image = proposal.hidden.clone(**keep), proposal.image.clone(**keep)
        self._change(self._levels[proposal.level], hidden, image, indices)
        return State(proposal.level + 1, hidden, image, proposal.rate_condition)

    @torch.inference_mode()
    def render(self, state: State) -> Tensor:
        """The picture so far at full size, (B, 3, H, W) float32 nominally in [-1, 1]; any level but 0."""
        with torch.autocast("cpu", self.precision, enabled=self.precision != torch.float32):
            return self.network.render(state)

    def _run_block(
        self,
        block: FusedBlock,
        hidden: Tensor,
        image: Tensor,
        new_hidden: Tensor,
        new_image: Tensor,
        rate_condition: Tensor,
    ) -> None:
        """Trunk (B, C, h, w) and picture (B, 48, h, w) to those that a block proposes, which may lie where they are.

        A strip is copied with the rows around it before it is overwritten; the last row of the strip before is taken
        from its copy.
        """
        batch, channels, height, width = hidden.shape
        biases = block.biases(rate_condition, self.precision)
        rows = max(1, STRIP_NUMBERS // (batch * width * (channels + PACKED)))
        window = torch.zeros(batch, min(rows, height) + 2, width, channels + PACKED, dtype=self.precision)
        trunk, picture = hidden.permute(0, 2, 3, 1), image.permute(0, 2, 3, 1)
        new_trunk, new_picture = new_hidden.permute(0, 2, 3, 1), new_image.permute(0, 2, 3, 1)
        for top in range(0, height, rows):
            count = min(rows, height - top)
            below = min(count + 1, height - top)
            if top:
                window[:, 0] = window[:, rows]
            window[:, 1 : 1 + below, :, :channels] = trunk[:, top : top + below]
            window[:, 1 : 1 + below, :, channels:] = picture[:, top : top + below]
            if below == count:
                window[:, 1 + count] = 0
            strip = window[:, : count + 2].permute(0, 3, 1, 2)
            if len(biases) == 1:
                mixed = block.mix(strip, biases[0])
            else:
                mixed = torch.cat([block.mix(strip[i : i + 1], bias) for i, bias in enumerate(biases)])
            mixed = mixed.permute(0, 2, 3, 1).reshape(-1, channels)
            new = new_trunk[:, top : top + count]
            torch.add(trunk[:, top : top + count], block.out(mixed).view(new.shape), out=new)
            base = block.to_base(new.reshape(-1, channels)).view(batch, count, width, PACKED)
            after = new_picture[:, top : top + count]
            if self.network.config.residual:
                torch.add(picture[:, top : top + count], base, out=after)
            else:
                after.copy_(base)

    def _change(self, level: FusedLevel, hidden: Tensor, image: Tensor, indices: Tensor) -> None:
        """Let the cells that do not keep take their candidates, in place."""
        side, channels = level.layer.side, hidden.shape[1]
        cells = indices.flatten().nonzero()[:, 0]
        trunk, picture = rows_of(hidden), rows_of(image)
        size = max(1, CHUNK_NUMBERS // (side * side * max(level.layer.width, channels)))
        for few in cells.split(size):
            rows = len(few) * side * side
            few = filled(few, size)
            chosen, at = indices.flatten()[few], positions(few, indices.shape, side)
            before = trunk.index_select(0, at).view(-1, side * side, channels)
            delta, at = level.changes(before, chosen)[:rows], at[:rows]
            picture.index_copy_(0, at, picture.index_select(0, at).add_(delta))
            if level.moved is not None:
                before += level.moved.index_select(0, chosen)[:, None]
                trunk.index_copy_(0, at, before.view(-1, channels)[:rows])
        if level.still is not None:
            trunk += level.still

    def _enter(self, state: State) -> tuple[Tensor, Tensor]:
        """Trunk in the backend's precision and picture, as the next level finds them."""
        stage, index = self.network.places[state.level]
        enter = self._enters[stage]
        if index or enter is None:
            return state.hidden.to(self.precision), state.image
        image = enlarge(state.image)
        batch, channels, height, width = state.hidden.shape
        wide = torch.empty(batch, height, 2, width, 2, enter.outputs // 4, dtype=self.precision)
        before = state.hidden.permute(0, 2, 3, 1)
        step = max(1, STRIP_NUMBERS // (batch * width * enter.outputs))
        for top in range(0, height, step):
            rows = before[:, top : top + step]
            out = enter(rows.reshape(-1, channels)).view(*rows.shape[:3], 2, 2, -1)
            wide[:, top : top + step] = out.transpose(2, 3)
        return wide.view(batch, 2 * height, 2 * width, -1).permute(0, 3, 1, 2), image

    def _level(self, layer: DiscreteDistributionLayer, components: Tensor | None) -> FusedLevel:
        still = None if layer.choice_embedding is None else layer.choice_embedding[0]
        moved = (
            None
            if layer.choice_embedding is None
            else (layer.choice_embedding - layer.choice_embedding[0]).to(self.precision)
        )
        in_block, alone = (still, None) if layer.block else (None, still)
        basis = layer.basis if components is None else components[layer.component_indices.long()]
        return FusedLevel(
            layer=layer,
            block=self._block(layer, in_block) if layer.block else None,
            to_gains=self._after(layer.to_gains, in_block),
            to_learned=self._after(layer.to_learned, in_block) if layer.learned else None,
            basis=basis,
            still=None if alone is None else alone.to(self.precision),
            moved=moved,
        )

    def _block(self, layer: DiscreteDistributionLayer, still: Tensor | None) -> FusedBlock:
        weight, bias = _pointwise(layer.out)
        assert layer.mix.bias is not None
        rate_bias = layer.mix.bias + layer.rate_condition.bias
        return FusedBlock(
            mix=convolution(layer.mix.weight, self.precision),
            rate_weight=layer.rate_condition.weight,
            rate_bias=rate_bias if layer.level_embedding is None else rate_bias + layer.level_embedding,
            out=linear(weight, bias if still is None else bias + still, self.precision),
            to_base=self._after(layer.to_base, still),
        )

    def _after(self, module: torch.nn.Conv2d, still: Tensor | None) -> Linear:
        """A 1x1 convolution of a trunk to which `still` was added, as if it had not been."""
        weight, bias = _pointwise(module)
        return linear(weight, bias if still is None else bias - weight @ still, self.precision)

    def _enter_weights(self, stage: Stage) -> Linear:
        """The way in, its outputs in the order row, column, channel of the four positions."""
        weight, bias = _pointwise(stage.enter)
        order = torch.arange(len(bias)).view(-1, 2, 2).permute(1, 2, 0).flatten()
        return linear(weight[order], bias[order], self.precision)


def _pointwise(module: torch.nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Weight (out, in) and bias (out,) of a 1x1 convolution."""
    assert module.bias is not None
    return module.weight[:, :, 0, 0], module.bias
