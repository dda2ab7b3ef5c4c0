"""Pictures to index planes and back: the walk through the levels, with the encoder or the decoder choosing.

Works on one batch of equally large pictures that fits in memory; `tiles` cuts larger ones.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bitstream import Header, LevelTables, flag_scores, grid, parity, present_scores
from ddncodec.errors import ArgumentError
from ddncodec.given import Given, to_given
from ddncodec.loading import Model
from ddncodec.model import Proposal, State
from ddncodec.model.cells import pack, shrink, to_cells
from ddncodec.model.gram import changes, moments, terms
from ddncodec.rate import flag_bits, lambda_of_step, value_bits
from ddncodec.search import SAMPLE_SCALE, cheapest, price_unit

Planes = list[np.ndarray]
"""Index planes of one picture, one (rows, cols) int32 array a level."""
UNKNOWN = -1
"""In planes given to `choose_planes`: this cell is free to choose."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """A model, the device it runs on, the precision of its convolutions, and what a conditional model is given.

    `given` is as for `DiscreteDistributionNetwork.initial_state`, a plane as large as the pictures.
    """

    model: Model
    device: torch.device
    precision: torch.dtype = torch.float32
    given: Tensor | None = None

    def under(self, given: Given) -> Engine:
        """The same engine for pictures of which this is known. Raises ArgumentError, ImageError."""
        return dataclasses.replace(self, given=to_given(self.model.network.config, given).to(self.device))

    def start(self, headers: Sequence[Header]) -> State:
        """The state before the first level, for equally large pictures.

        Raises ArgumentError where what is given is missing, or does not fit the model or the pictures.
        """
        given, network = self.given, self.model.network
        height, width, unit = headers[0].height, headers[0].width, network.config.alignment
        if given is not None and given.dim() == 4:
            if given.shape[2:] != (height, width):
                sides = f"{given.shape[3]} x {given.shape[2]}"
                raise ArgumentError(f"`given` is {sides} pixels, must be {width} x {height} as the picture or its tile")
            given = F.pad(given, (0, -width % unit, 0, -height % unit), mode="replicate")
        lambdas = torch.tensor([lambda_of_step(step_of(header)) for header in headers], device=self.device)
        return network.initial_state(lambdas, height + -height % unit, width + -width % unit, given)

    @torch.inference_mode()
    def choose_planes(
        self,
        pixels: np.ndarray,
        headers: Sequence[Header],
        fixed: Sequence[Planes] | None = None,
        prices: Sequence[float] | None = None,
    ) -> list[Planes]:
        """Encode pictures (B, H, W, 3) uint8: the index planes of each.

        `fixed` may give planes in which every cell that is not UNKNOWN must be used as it is. `prices` are the lambdas
        to choose at, where those of the headers are too coarse or out of reach.
        """
        height, width = pixels.shape[1:3]
        picture = self._samples(pixels)
        steps = [step_of(header) for header in headers]
        lambdas = torch.tensor([lambda_of_step(step) for step in steps], device=self.device)
        price = lambdas if prices is None else torch.tensor(prices, device=self.device)
        state = self.start(headers)
        chosen: list[Planes] = [[] for _ in headers]
        target, scale = picture, 0
        for level, shape in enumerate(self.model.info.layout):
            if scale != self.model.network.scale(level):
                scale = self.model.network.scale(level)
                target = pack(shrink(picture, scale))
            proposal = self._propose(state)
            codes = self._select(proposal, target, price_unit(price, scale), chosen, headers, steps)
            rows, cols = grid(shape, width, height)
            if fixed is not None:
                known = torch.from_numpy(np.stack([planes[level] for planes in fixed])).to(codes)
                codes[:, :rows, :cols] = torch.where(known == UNKNOWN, codes[:, :rows, :cols], known)
            state = self.model.network.advance(proposal, codes)
            del proposal  # its features are the largest thing there is, and would outlive the making of the next ones
            for planes, plane in zip(chosen, codes[:, :rows, :cols].cpu().numpy().astype(np.int32)):
                planes.append(plane)
        return chosen

    @torch.inference_mode()
    def search_planes(self, pixels: np.ndarray, header: Header, beam: int) -> Planes:
        """Encode a picture (H, W, 3) uint8 of one cell by beam search.

        At every level the `beam` best of all continuations of those before go on; best is the least squared error plus
        lambda times the bits of the values. Raises ArgumentError where the picture has more than one cell.
        """
        layout = self.model.info.layout
        if any(grid(shape, header.width, header.height) != (1, 1) for shape in layout):
            raise ArgumentError(
                f"`beam` (={beam}) is for pictures of one cell; with this model {header.width} x {header.height} "
                "pixels have more"
            )
        picture, step = self._samples(pixels[None]), step_of(header)
        lambdas = torch.tensor([lambda_of_step(step)], device=self.device)
        state = self.start([header])
        paths, spent = torch.zeros(1, 0, dtype=torch.int64, device=self.device), torch.zeros(1, device=self.device)
        for level, shape in enumerate(layout):
            scale = self.model.network.scale(level)
            proposal, layer = self._propose(state), self.model.network.layer(level)
            residual = to_cells(pack(shrink(picture, scale)) - proposal.image, layer.side, layer.colors)
            cells, candidates = moments(proposal.features, residual), terms(layer.codebook, layer.cosines)
            bits = value_bits(self.model.tables[level], step).to(self.device)
            unit = price_unit(lambdas, scale)
            change = torch.cat(list(changes(cells.flatten(0, 2), candidates, unit * bits)))
            cost = residual.square().flatten(1).sum(1)[:, None] + change + unit * spent[:, None]
            best = cost.flatten().topk(min(beam, cost.numel()), largest=False).indices
            parents, codes = best // shape.outputs, best % shape.outputs
            state = self.model.network.advance(proposal.take(parents), codes[:, None, None])
            paths, spent = torch.cat([paths[parents], codes[:, None]], dim=1), spent[parents] + bits[codes]
        return [np.array([[code]], dtype=np.int32) for code in paths[0].tolist()]

    @torch.inference_mode()
    def replay(self, planes: Sequence[Planes], headers: Sequence[Header]) -> np.ndarray:
        """Decode index planes of equally large pictures, as far as they go: (B, H, W, 3) uint8."""
        last = deque(self._walk(planes, headers), maxlen=1).pop()  # all of them would fill the memory
        return self._pixels(last, headers[0])

    @torch.inference_mode()
    def replay_progressively(self, planes: Planes, header: Header) -> Iterator[np.ndarray]:
        """Decode one picture level by level, yielding (H, W, 3) uint8 after each."""
        for state in self._walk([planes], [header]):
            yield self._pixels(state, header)[0]

    def _walk(self, planes: Sequence[Planes], headers: Sequence[Header]) -> Iterator[State]:
        state = self.start(headers)
        for level in range(len(planes[0])):
            proposal = self._propose(state)
            codes = torch.zeros(proposal.features.grid, dtype=torch.int64, device=self.device)
            given = torch.from_numpy(np.stack([each[level] for each in planes])).to(codes)
            codes[:, : given.shape[1], : given.shape[2]] = given
            state = self.model.network.advance(proposal, codes)
            del proposal  # as above
            yield state

    def _propose(self, state: State) -> Proposal:
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            return self.model.network.propose(state)

    def _select(
        self,
        proposal: Proposal,
        target: Tensor,
        unit: Tensor,
        chosen: list[Planes],
        headers: Sequence[Header],
        steps: list[int],
    ) -> Tensor:
        """Greedy rate-distortion choice, (B, gh, gw) int64; cells beyond the picture keep."""
        layer = self.model.network.layer(proposal.level)
        tables = self.model.tables[proposal.level]
        cells = moments(proposal.features, to_cells(target - proposal.image, layer.side, layer.colors))
        candidates = terms(layer.codebook, layer.cosines)
        codes = torch.zeros(cells.shape[:3], dtype=torch.int64, device=self.device)
        for i, header in enumerate(headers):
            prices = value_bits(tables, steps[i]).to(self.device) * unit[i]
            cost, code = cheapest(cells[i].flatten(0, 1), candidates, prices)
            relative = (cost / unit[i]).view(codes.shape[1:]).cpu().numpy()
            taken = self._taken(relative, tables, [plane != 0 for plane in chosen[i]], header)
            rows, cols = taken.shape
            codes[i, :rows, :cols] = torch.where(
                torch.from_numpy(taken).to(self.device), code.view(codes.shape[1:])[:rows, :cols], 0
            )
        return codes

    def _taken(
        self, cost: np.ndarray, tables: LevelTables, flags: list[np.ndarray], header: Header
    ) -> np.ndarray:
        """Which cells do not keep, (rows, cols) bool: where the flag costs less than the `cost` (gh, gw) in bits saves.

        The second checkerboard phase is priced knowing what the first one took, as it will be coded.
        """
        scores = flag_scores(
            tables.weights, flags, len(flags), self.model.info.layout, header.width, header.height, header.lambda_step
        )
        first = flag_bits(tables, scores, 0)
        cost = cost[: first.shape[0], : first.shape[1]]
        taken = cost + first < 0
        second = flag_bits(tables, scores + present_scores(tables.weights, taken), 1)
        return np.where(parity(taken.shape), cost + second < 0, taken)

    def _samples(self, pixels: np.ndarray) -> Tensor:
        """(B, H, W, 3) uint8 -> (B, 3, H', W') float32 in [-1, 1], edges repeated to the network's alignment."""
        unit = self.model.network.config.alignment
        down, right = -pixels.shape[1] % unit, -pixels.shape[2] % unit
        samples = torch.from_numpy(np.array(pixels)).to(self.device).permute(0, 3, 1, 2).float()
        return F.pad(samples / SAMPLE_SCALE - 1, (0, right, 0, down), mode="replicate")

    def _pixels(self, state: State, header: Header) -> np.ndarray:
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            picture = self.model.network.render(state)
        picture = picture[:, :, : header.height, : header.width].float()
        levels = ((picture + 1) * SAMPLE_SCALE).round_().clamp_(0, 255).to(torch.uint8)
        return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def step_of(header: Header) -> int:
    """The lambda step; a stream without one comes from a model whose range is a single lambda, at step 128."""
    return 128 if header.lambda_step is None else header.lambda_step
