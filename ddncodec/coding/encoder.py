"""Pictures to index planes: the walk through the levels with the encoder choosing.

Works on one batch of equally large pictures that fits in memory; `tiles` cuts larger ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bitstream import Header, Planes, grid
from bitstream.context import non_anchor_mask
from ddncodec.coding import beam
from ddncodec.coding.distortion import Distortion
from ddncodec.coding.effort import EFFORTS, Effort
from ddncodec.coding.engine import Engine, lambda_step_of
from ddncodec.coding.rate import lambda_of_step
from ddncodec.coding.rate_model import Priced, RateModel, TableRates, rate_model
from ddncodec.coding.selection import price_unit
from ddncodec.coding.visual_weights import WeightMap, distortion
from ddncodec.model import Proposal, State
from ddncodec.model.cells import pack, shrink, to_cells

UNKNOWN = -1
"""In planes given to `encode`: this cell is free to choose."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The best few indices of each cell, 0 among them, the best first.

    `indices` (B, gh, gw, n) int64. `costs` is what an option changes against keeping, error and rate; `bits` is its
    rate; both (B, gh, gw, n), in bits, float32. Cells beyond the picture can only keep.
    """

    indices: Tensor
    costs: Tensor
    bits: Tensor


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """The index planes of a picture, and the picture (3, H, W) that they decode to, nominally in [-1, 1].

    `picture` is None after a beam search.
    """

    planes: Planes
    picture: Tensor | None


@dataclasses.dataclass(frozen=True)
class IndexEncoder:
    """A batch of equally large pictures on their way into index planes.

    `targets` are the pictures, packed, by scale; `distortions` how differences from them count, by level; `prices` (B,)
    the lambdas to choose at; `fixed` as in `encode`.
    """

    engine: Engine
    headers: Sequence[Header]
    targets: dict[int, Tensor]
    distortions: Sequence[Distortion]
    prices: Tensor
    fixed: Sequence[Planes] | None
    effort: Effort

    def walk(self) -> list[Reconstruction]:
        """Choose the indices of all levels."""
        model = self.engine.model
        chosen: list[Planes] = [[] for _ in self.headers]
        rates = [rate_model(model, header) for header in self.headers]
        tables = [TableRates(model, header) for header in self.headers]
        state = self.engine.start(self.headers)
        for level in range(len(model.info.layout)):
            proposal = self.engine.propose(state)
            for each in rates:
                each.begin()
            indices = self._choose(proposal, rates, tables)
            state = self.engine.backend.advance(proposal, indices)
            del proposal  # its features are the largest thing there is, and would outlive the making of the next ones
            tables = self._fork(tables, indices, level)
            for each, planes, plane in zip(rates, chosen, self._inside(indices, level)):
                planes.append(plane)
                each.finish(plane)
        pictures = self.engine.render(state, self.headers[0])
        return [Reconstruction(planes, picture) for planes, picture in zip(chosen, pictures)]

    def _choose(self, proposal: Proposal, rates: Sequence[RateModel], tables: Sequence[TableRates]) -> Tensor:
        """The indices of a level, (B, gh, gw): of the options of each cell the best at `rates`.

        Looking ahead goes by `tables`, whatever the rates are.
        """
        network, level = self.engine.model.network, proposal.level
        last = level + 1 == len(self.engine.model.info.layout)
        tries = 1 if last else self.effort.tries_at(network.scale(level))
        options = self._options(proposal, self._residual(proposal), rates, tries)
        if tries == 1:
            return options.indices[..., 0]
        costs = torch.empty_like(options.bits)
        for number in range(costs.shape[3]):
            for mask in _groups(costs.shape[1:3], self.effort.groups if number else 1):
                group = mask.to(costs.device)
                indices = options.indices[..., number].where(group, options.indices[..., 0])
                ahead = self._fork(tables, indices, level)
                outlook = self._outlook(self.engine.backend.advance(proposal, indices), ahead, costs.shape[1:3])
                costs[..., number] = (options.bits[..., number] + outlook).where(group, costs[..., number])
        costs[..., 1:] += self.effort.caution
        best = costs.argmin(dim=3, keepdim=True)
        return options.indices.gather(3, best)[..., 0]

    def _outlook(self, state: State, tables: Sequence[TableRates], shape: torch.Size) -> Tensor:
        """Error and rate in bits to expect after `state` in each cell of a grid `shape`, (B, *shape).

        Found by choosing greedily for `effort.depth` levels, or to the last one.
        """
        levels = len(self.engine.model.info.layout)
        end = min(state.level + self.effort.depth, levels) - 1
        spent = torch.zeros(1, dtype=torch.float32, device=self.engine.device)
        for level in range(state.level, end + 1):
            proposal = self.engine.propose(state)
            residual = self._residual(proposal)
            options = self._options(proposal, residual, tables, 1)
            if level < end:
                indices = options.indices[..., 0]
                spent = spent + _sums(options.bits[..., 0], shape)
                state, tables = self.engine.backend.advance(proposal, indices), self._fork(tables, indices, level)
                del proposal  # as above
        error = self.distortions[end].errors(residual) / self._unit(end)[:, None, None]
        return spent + _sums(error + options.costs[..., 0], shape)

    def _options(self, proposal: Proposal, residual: Tensor, rates: Sequence[RateModel], count: int) -> Options:
        """The `count` best indices of each cell of a level, at the rates of each picture."""
        layer, level = self.engine.model.network.layer(proposal.level), proposal.level
        measure = self.distortions[level]
        cells, candidates = measure.moments(proposal.features, residual), measure.terms(layer.codebook, layer.cosines)
        count = min(count, len(candidates) - 1)
        units = self._unit(level)
        priced = [each.price(one, candidates, unit, count) for each, one, unit in zip(rates, cells, units)]
        indices, costs, bits = map(torch.stack, zip(*map(_with_keeping, priced)))
        return Options(self._hold(indices, level), costs, bits)

    def _hold(self, indices: Tensor, level: int) -> Tensor:
        """Indices (B, gh, gw, n) with those that are fixed in place of every option."""
        if self.fixed is not None:
            known = torch.from_numpy(np.stack([planes[level] for planes in self.fixed])).to(indices)[..., None]
            inside = indices[:, : known.shape[1], : known.shape[2]]
            inside.copy_(torch.where(known == UNKNOWN, inside, known))
        return indices

    def _residual(self, proposal: Proposal) -> Tensor:
        """What keeping would leave, in the form of `Distortion.residual`."""
        network = self.engine.model.network
        layer, target = network.layer(proposal.level), self.targets[network.scale(proposal.level)]
        return self.distortions[proposal.level].residual(to_cells(target - proposal.image, layer.side, layer.colors))

    def _unit(self, level: int) -> Tensor:
        return price_unit(self.prices, self.engine.model.network.scale(level))

    def _inside(self, indices: Tensor, level: int) -> np.ndarray:
        """The part of indices (B, gh, gw) that belongs to the pictures, int32, on the CPU."""
        rows, cols = grid(self.engine.model.info.layout[level], self.headers[0].width, self.headers[0].height)
        return indices[:, :rows, :cols].cpu().numpy().astype(np.int32)

    def _fork(self, tables: Sequence[TableRates], indices: Tensor, level: int) -> list[TableRates]:
        """The rates of each picture after one level more."""
        return [each.fork(plane) for each, plane in zip(tables, self._inside(indices, level))]


def _with_keeping(priced: Priced) -> tuple[Tensor, Tensor, Tensor]:
    """Indices, costs and bits (gh, gw, n) of the best n of index 0 and n candidates; 0 where costs are infinite."""
    costs, order = F.pad(priced.costs, (1, 0)).topk(priced.indices.shape[2], dim=2, largest=False)
    possible = costs.isfinite()
    indices, bits = (F.pad(each, (1, 0)).gather(2, order) for each in (priced.indices, priced.bits))
    return indices.where(possible, 0), costs.where(possible, 0), bits.where(possible, 0)


def _groups(shape: torch.Size, count: int) -> Iterator[Tensor]:
    """Masks (rows, cols) that share out a grid of cells: all of them, or one checkerboard parity and the other."""
    non_anchor = torch.from_numpy(non_anchor_mask((shape[0], shape[1])))
    yield from (non_anchor, ~non_anchor) if count == 2 else (torch.ones_like(non_anchor),)


def _sums(values: Tensor, shape: torch.Size) -> Tensor:
    """Sums of (B, gh, gw) over the cells of a coarser grid `shape`, (B, *shape)."""
    side = values.shape[1] // shape[0]
    return F.avg_pool2d(values[:, None], side)[:, 0] * side**2


@torch.inference_mode()
def encode(
    engine: Engine,
    pixels: np.ndarray,
    headers: Sequence[Header],
    fixed: Sequence[Planes] | None = None,
    prices: Sequence[float] | None = None,
    effort: Effort = EFFORTS[0],
    weight_map: WeightMap | None = None,
) -> list[Reconstruction]:
    """Encode pictures (B, H, W, 3) uint8.

    `fixed` may give planes in which every cell that is not UNKNOWN must be used as it is; `effort.beam` does not heed
    it. `prices` are the lambdas to choose at, where those of the headers are too coarse or out of reach. `weight_map`
    holds the weights of errors; without one, all count alike.
    """
    picture = engine.samples(pixels)
    lambdas = prices or [lambda_of_step(lambda_step_of(header)) for header in headers]
    price = torch.tensor(lambdas, dtype=torch.float32, device=engine.device)
    if effort.beam > 1 and beam.is_one_cell(engine, headers[0]):
        return [
            Reconstruction(beam.search_planes(engine, picture[i : i + 1], header, price[i : i + 1], effort.beam), None)
            for i, header in enumerate(headers)
        ]
    network, levels = engine.model.network, range(len(engine.model.info.layout))
    targets = {scale: pack(shrink(picture, scale)) for scale in {network.scale(level) for level in levels}}
    weights = weight_map and weight_map.padded(*picture.shape[2:])
    distortions = [distortion(weights, network.layer(level), network.scale(level)) for level in levels]
    return IndexEncoder(engine, headers, targets, distortions, price, fixed, effort).walk()
