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
from bitstream.context import anchor_scores, non_anchor_mask, nonzero_scores
from bitstream.prior import PriorState
from ddncodec.coding import beam
from ddncodec.coding.effort import EFFORTS, Effort
from ddncodec.coding.engine import Engine, lambda_step_of
from ddncodec.coding.foreseen import predicted_candidates
from ddncodec.coding.rate import lambda_of_step, nonzero_bits, value_bits
from ddncodec.coding.selection import best_candidates, price_unit
from ddncodec.model import Proposal, State
from ddncodec.model.cells import pack, shrink, to_cells
from ddncodec.model.gram import moments, terms

UNKNOWN = -1
"""In planes given to `encode`: this cell is free to choose."""
CAUTION = 4.0
"""Bits by which a try must beat the best one unseen: tries of all cells are judged at once, which disturbs each."""
Nonzero = Sequence[np.ndarray]
"""`index != 0` of the levels so far, of one picture: (rows, cols) bool each."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The best few indices of each cell, the best first.

    `codes` (B, gh, gw, n) int64. `costs` is what an option changes against keeping, error and rate; `bits` is its rate;
    both (B, gh, gw, n), in bits, float32. Cells beyond the picture have no choice but to keep.
    """

    codes: Tensor
    costs: Tensor
    bits: Tensor


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """The index planes of a picture, and the picture (3, H, W) that they decode to, nominally in [-1, 1].

    `picture` is None behind a search by beam.
    """

    planes: Planes
    picture: Tensor | None


@dataclasses.dataclass(frozen=True)
class IndexEncoder:
    """A batch of equally large pictures on their way into index planes.

    `targets` are the pictures, packed, by scale; `prices` (B,) the lambdas to choose at; `fixed` as in `encode`.
    """

    engine: Engine
    headers: Sequence[Header]
    targets: dict[int, Tensor]
    prices: Tensor
    fixed: Sequence[Planes] | None
    effort: Effort

    def walk(self) -> list[Reconstruction]:
        """Choose the indices of all levels."""
        chosen: list[Planes] = [[] for _ in self.headers]
        nonzero: list[Nonzero] = [[] for _ in self.headers]
        prior_states = self._prior_states()
        state = self.engine.start(self.headers)
        for level in range(len(self.engine.model.info.layout)):
            proposal = self.engine.propose(state)
            for prior_state in prior_states:
                prior_state.start_level()
            codes = self._choose(proposal, nonzero, prior_states)
            state = self.engine.backend.advance(proposal, codes)
            del proposal  # its features are the largest thing there is, and would outlive the making of the next ones
            nonzero = self._extend(nonzero, codes, level)
            for planes, plane in zip(chosen, self._inside(codes, level).cpu().numpy().astype(np.int32)):
                planes.append(plane)
            for prior_state, planes in zip(prior_states, chosen):
                prior_state.finish_level(planes[-1])
        return [
            Reconstruction(planes, picture)
            for planes, picture in zip(chosen, self.engine.render(state, self.headers[0]))
        ]

    def _prior_states(self) -> list[PriorState]:
        """What the index prior will make of each picture; none where the model has no prior."""
        prior, layout = self.engine.model.prior, self.engine.model.info.layout
        if prior is None:
            return []
        return [PriorState(prior, layout, each.width, each.height, each.lambda_step) for each in self.headers]

    def _choose(self, proposal: Proposal, nonzero: Sequence[Nonzero], prior_states: Sequence[PriorState]) -> Tensor:
        """The indices of a level, (B, gh, gw): of the options of each cell the one that promises most."""
        network, level = self.engine.model.network, proposal.level
        last = level + 1 == len(self.engine.model.info.layout)
        tries = 1 if last else self.effort.tries_at(network.scale(level))
        options = self._options(proposal, self._residual(proposal), nonzero, tries, prior_states)
        if tries == 1:
            return options.codes[..., 0]
        costs = torch.empty_like(options.bits)
        for number in range(costs.shape[3]):
            for mask in _groups(costs.shape[1:3], self.effort.groups if number else 1):
                group = mask.to(costs.device)
                codes = options.codes[..., number].where(group, options.codes[..., 0])
                ahead = self._extend(nonzero, codes, level)
                outlook = self._outlook(self.engine.backend.advance(proposal, codes), ahead, costs.shape[1:3])
                costs[..., number] = (options.bits[..., number] + outlook).where(group, costs[..., number])
        costs[..., 1:] += CAUTION
        best = costs.argmin(dim=3, keepdim=True)
        return options.codes.gather(3, best)[..., 0]

    def _outlook(self, state: State, nonzero: Sequence[Nonzero], shape: torch.Size) -> Tensor:
        """What is to be expected from `state` on in each cell of a grid `shape`: error and rate in bits, (B, *shape).

        Found by going on greedily for `effort.depth` levels, or to the last one.
        """
        levels = len(self.engine.model.info.layout)
        end = min(state.level + self.effort.depth, levels) - 1
        spent = torch.zeros(1, device=self.engine.device)
        for level in range(state.level, end + 1):
            proposal = self.engine.propose(state)
            residual = self._residual(proposal)
            options = self._options(proposal, residual, nonzero, 1)
            if level < end:
                codes = options.codes[..., 0]
                spent = spent + _sums(options.bits[..., 0], shape)
                state, nonzero = self.engine.backend.advance(proposal, codes), self._extend(nonzero, codes, level)
                del proposal  # as above
        error = residual.square().sum(dim=(3, 4)) / self._unit(end)[:, None, None]
        return spent + _sums(error + options.costs[..., 0], shape)

    def _options(
        self,
        proposal: Proposal,
        residual: Tensor,
        nonzero: Sequence[Nonzero],
        count: int,
        prior_states: Sequence[PriorState] = (),
    ) -> Options:
        """The `count` best indices of each cell of a level, at the prices of `prior_states`, or else of the tables."""
        layer, level = self.engine.model.network.layer(proposal.level), proposal.level
        cells, candidates = moments(proposal.features, residual), terms(layer.codebook, layer.cosines)
        count = min(count, len(candidates) - 1)
        unit, each = self._unit(level), []
        for i, header in enumerate(self.headers):
            if prior_states:
                shape = grid(self.engine.model.info.layout[level], header.width, header.height)
                costs, bits, codes = predicted_candidates(cells[i], candidates, prior_states[i], shape, unit[i], count)
            else:
                price = value_bits(self.engine.model.tables[level], lambda_step_of(header)).to(self.engine.device)
                found, codes = best_candidates(cells[i].flatten(0, 1), candidates, price * unit[i], count)
                costs, codes = (found / unit[i]).view(*cells.shape[1:3], count), codes.view(*cells.shape[1:3], count)
                flag = self._nonzero_bits(costs[..., 0], level, nonzero[i], header)[..., None]
                costs, bits = costs + flag, price[codes] + flag
            each.append(_best(codes, costs, bits))
        codes, costs, bits = map(torch.stack, zip(*each))
        return Options(self._hold(codes, level), costs, bits)

    def _nonzero_bits(self, costs: Tensor, level: int, nonzero: Nonzero, header: Header) -> Tensor:
        """Extra bits of not keeping over keeping, (gh, gw); infinite beyond the picture.

        `costs` (gh, gw) are those of the best index without these bits. The second checkerboard phase is priced knowing
        what the first one takes, as it will be coded.
        """
        tables, layout = self.engine.model.tables[level], self.engine.model.info.layout
        scores = nonzero_scores(tables.weights, nonzero, level, layout, header.width, header.height, header.lambda_step)
        bits = nonzero_bits(tables, scores, 0)
        rows, cols = bits.shape
        taken = costs[:rows, :cols].cpu().numpy() + bits < 0
        second = nonzero_bits(tables, scores + anchor_scores(tables.weights, taken), 1)
        out = torch.full_like(costs, torch.inf)
        out[:rows, :cols] = torch.from_numpy(np.where(non_anchor_mask(bits.shape), second, bits)).to(costs)
        return out

    def _hold(self, codes: Tensor, level: int) -> Tensor:
        """Codes (B, gh, gw, n) with those that are fixed in place of every option."""
        if self.fixed is not None:
            known = torch.from_numpy(np.stack([planes[level] for planes in self.fixed])).to(codes)[..., None]
            inside = codes[:, : known.shape[1], : known.shape[2]]
            inside.copy_(torch.where(known == UNKNOWN, inside, known))
        return codes

    def _residual(self, proposal: Proposal) -> Tensor:
        """What keeping would leave, in cells (B, gh, gw, P, colors)."""
        network = self.engine.model.network
        layer, target = network.layer(proposal.level), self.targets[network.scale(proposal.level)]
        return to_cells(target - proposal.image, layer.side, layer.colors)

    def _unit(self, level: int) -> Tensor:
        return price_unit(self.prices, self.engine.model.network.scale(level))

    def _inside(self, codes: Tensor, level: int) -> Tensor:
        """The part of codes (B, gh, gw) that belongs to the pictures."""
        rows, cols = grid(self.engine.model.info.layout[level], self.headers[0].width, self.headers[0].height)
        return codes[:, :rows, :cols]

    def _extend(self, nonzero: Sequence[Nonzero], codes: Tensor, level: int) -> list[Nonzero]:
        """`nonzero` of each picture with that of one level more."""
        return [[*before, plane] for before, plane in zip(nonzero, (self._inside(codes, level) != 0).cpu().numpy())]


def _best(codes: Tensor, costs: Tensor, bits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Codes, costs and bits (gh, gw, n) of the best n of keeping and n indices; of keeping where costs are infinite."""
    costs, order = F.pad(costs, (1, 0)).topk(codes.shape[2], dim=2, largest=False)
    possible = costs.isfinite()
    codes, bits = F.pad(codes, (1, 0)).gather(2, order), F.pad(bits, (1, 0)).gather(2, order)
    return codes.where(possible, 0), costs.where(possible, 0), bits.where(possible, 0)


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
) -> list[Reconstruction]:
    """Encode pictures (B, H, W, 3) uint8.

    `fixed` may give planes in which every cell that is not UNKNOWN must be used as it is; `effort.beam` does not heed
    it. `prices` are the lambdas to choose at, where those of the headers are too coarse or out of reach.
    """
    picture = engine.samples(pixels)
    price = torch.tensor(prices or [lambda_of_step(lambda_step_of(header)) for header in headers], device=engine.device)
    if effort.beam > 1 and beam.is_one_cell(engine, headers[0]):
        return [
            Reconstruction(beam.search_planes(engine, picture[i : i + 1], header, price[i : i + 1], effort.beam), None)
            for i, header in enumerate(headers)
        ]
    scales = {engine.model.network.scale(level) for level in range(len(engine.model.info.layout))}
    targets = {scale: pack(shrink(picture, scale)) for scale in scales}
    return IndexEncoder(engine, headers, targets, price, fixed, effort).walk()
