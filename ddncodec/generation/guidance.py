"""Zero-shot conditional generation (ZSCG; section 3.2, Yang 2025): indices chosen by any score, without gradients.

At each level the candidates are rendered and scored, and the best one is taken: the guided sampler of the paper, with
"nearest to the original" replaced by whatever is asked for. A scorer is a black box.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bitstream import Header, Planes, grid
from ddncodec.coding.engine import Engine
from ddncodec.errors import ArgumentError
from ddncodec.generation.sampling import value_probabilities
from ddncodec.model import Proposal, State
from ddncodec.model.gram import Features

Scorer: TypeAlias = Callable[[Tensor], Tensor]
"""Candidate pictures (B, 3, H, W) float32 in [0, 1] -> how bad each is, lower is better: (B,) for whole pictures, or
(B, H, W) for each of their pixels, which lets every cell choose for itself."""
CHUNK_PIXELS = 1 << 19
"""Candidates are rendered in chunks of at most this many pixels, whatever K is."""


@dataclasses.dataclass(frozen=True)
class Guide:
    """Scorers, what each counts, and how many candidates are looked at.

    Where there are several scorers, the scores of each are first brought to mean 0 and deviation 1 over the candidates
    of a cell, so that `weights`, one for each, compare. `pool` is how many candidates of a cell are drawn to choose
    among, by the model's own tables; None: all K are looked at, and the outcome is always the same. `rounds` - 1 times
    the last `late` levels are chosen again, each candidate judged by the picture that it leads to with the other
    indices as they are.
    """

    scorers: tuple[Scorer, ...]
    weights: tuple[float, ...] = (1.0,)
    pool: int | None = None
    rounds: int = 1
    late: int = 8

    def __post_init__(self) -> None:
        if not self.scorers or len(self.scorers) != len(self.weights):
            raise ArgumentError(
                f"`weights` (={self.weights}) must have one number for each of the "
                f"{len(self.scorers)} `scorers`, of which there is at least one"
            )
        for name, value, least in (("pool", self.pool, 2), ("rounds", self.rounds, 1), ("late", self.late, 1)):
            if value is not None and value < least:
                raise ArgumentError(f"`{name}` (={value}) must be at least {least}")


@torch.inference_mode()
def guided_planes(engine: Engine, guide: Guide, header: Header, random: np.random.Generator) -> Planes:
    """Index planes of a picture that scores well: the size is that of `header`, `random` draws the pools.

    Raises: ArgumentError where a scorer returns another shape than it should, or a score of whole pictures is asked to
    choose the indices of several cells.
    """
    layout, network = engine.model.info.layout, engine.model.network
    if guide.rounds > 1 and any(grid(level, header.width, header.height) != (1, 1) for level in layout):
        raise ArgumentError(f"`rounds` (={guide.rounds}) must be 1 for a model with several cells in a picture")
    states = [engine.start([header])]
    chosen: list[Tensor] = []
    for _ in layout:
        indices = _choose(engine, guide, header, random, states[-1], None, ())
        states.append(network.advance(network.propose(states[-1]), indices))
        chosen.append(indices)
    first = max(0, len(layout) - guide.late)
    for _ in range(1, guide.rounds):
        state = states[first]
        for level in range(first, len(layout)):
            chosen[level] = _choose(engine, guide, header, random, state, chosen[level], chosen[level + 1 :])
            state = network.advance(network.propose(state), chosen[level])
    sizes = [grid(level, header.width, header.height) for level in layout]
    return [indices[0, :rows, :cols].cpu().numpy().astype(np.int32) for indices, (rows, cols) in zip(chosen, sizes)]


def search_weights(
    judge: Callable[[tuple[float, ...]], float], count: int, start: float = 0.25, limit: int = 32
) -> tuple[float, ...]:
    """Weights of `count` scorers by a search in the manner of Training-Free Guidance (Ye et al., NeurIPS 2024).

    All begin at `start`. In turn each is doubled alone; the best of these is kept if `judge`, a mean over a few samples
    of which lower is better, likes it more than the weights so far. It ends when no doubling helps, or after `limit`
    judgements.
    """
    best, judged = (start,) * count, 1
    score = judge(best)
    while judged + count <= limit:
        trials = [tuple(2 * w if i == at else w for i, w in enumerate(best)) for at in range(count)]
        scores = [judge(trial) for trial in trials]
        judged += count
        if min(scores) >= score:
            break
        score = min(scores)
        best = trials[scores.index(score)]
    return best


def _choose(
    engine: Engine,
    guide: Guide,
    header: Header,
    random: np.random.Generator,
    state: State,
    incumbent: Tensor | None,
    later: Sequence[Tensor],
) -> Tensor:
    """Indices (1, gh, gw) of the level after `state`; `incumbent` is a candidate, `later` the levels after."""
    proposal = engine.model.network.propose(state)
    pool = _pool(engine, guide, header, random, proposal)
    if incumbent is not None:
        pool = torch.cat([incumbent, pool])
    total = torch.zeros(pool.shape, dtype=torch.float32, device=engine.device)
    for weight, part in zip(guide.weights, _scores(engine, guide, header, proposal, pool, later)):
        if len(guide.scorers) > 1:
            part = (part - part.mean(dim=0)) / part.std(dim=0).clamp(min=1e-12)
        total += weight * part
    return pool.gather(0, total.argmin(dim=0, keepdim=True))


def _pool(engine: Engine, guide: Guide, header: Header, random: np.random.Generator, proposal: Proposal) -> Tensor:
    """Candidates of every cell, (n, gh, gw) int64: all K, or as many as asked for, 0 and others drawn by the tables."""
    outputs = engine.model.info.layout[proposal.level].outputs
    cells = tuple(proposal.features.grid[1:])
    if guide.pool is None or guide.pool >= outputs:
        return torch.arange(outputs, device=engine.device)[:, None, None].repeat(1, *cells)
    share = value_probabilities(engine.model.tables[proposal.level], header.lambda_step)
    drawn = 1 + random.choice(outputs - 1, size=(guide.pool - 1, *cells), p=share)
    return torch.from_numpy(np.concatenate([np.zeros((1, *cells), np.int64), drawn])).to(engine.device)


def _scores(
    engine: Engine, guide: Guide, header: Header, proposal: Proposal, pool: Tensor, later: Sequence[Tensor]
) -> list[Tensor]:
    """What every scorer says of every candidate of every cell, each (n, gh, gw) float32."""
    network, scale = engine.model.network, engine.model.network.scale(proposal.level)
    pixels = proposal.image[0].numel() // 3 * scale**2
    cell = engine.model.info.layout[proposal.level].cell
    found: list[list[Tensor]] = [[] for _ in guide.scorers]
    for indices in torch.split(pool, max(1, CHUNK_PIXELS // pixels)):
        state = network.advance(_repeat(proposal, len(indices)), indices)
        for each in later:
            state = network.advance(network.propose(state), each.expand(len(indices), -1, -1))
        picture = network.render(state)[:, :, : header.height, : header.width]
        picture = picture.float().add(1).mul_(0.5).clamp_(0, 1)
        for scorer, parts in zip(guide.scorers, found):
            parts.append(_by_cell(scorer(picture), picture, tuple(pool.shape[1:]), cell))
    return [torch.cat(parts) for parts in found]


def _by_cell(score: Tensor, picture: Tensor, cells: tuple[int, ...], cell: int) -> Tensor:
    """Scores (B,) or (B, H, W) -> (B, gh, gw), summed over the pixels of each cell."""
    count, _, height, width = picture.shape
    if score.shape == (count,):
        if cells != (1, 1):
            raise ArgumentError(
                f"a score of whole pictures cannot choose in {cells[0]} x {cells[1]} cells; take a "
                "model with one cell a picture, or a scorer of pixels"
            )
        return score.float().reshape(count, 1, 1)
    if score.shape != (count, height, width):
        raise ArgumentError(
            f"a scorer returned {tuple(score.shape)} for {tuple(picture.shape)}, must be "
            f"{(count,)} or {(count, height, width)}"
        )
    rows, cols = cells
    padded = F.pad(score.float(), (0, cols * cell - width, 0, rows * cell - height))
    return padded.reshape(count, rows, cell, cols, cell).sum(dim=(2, 4))


def _repeat(proposal: Proposal, count: int) -> Proposal:
    """The same proposal `count` times, without copying."""

    def expand(values: Tensor) -> Tensor:
        return values.expand(count, *values.shape[1:])

    assert isinstance(proposal.features, Features), "the network itself made the proposal"
    features = Features(expand(proposal.features.gains), proposal.features.basis, expand(proposal.features.learned))
    return dataclasses.replace(
        proposal,
        hidden=expand(proposal.hidden),
        image=expand(proposal.image),
        rate_condition=expand(proposal.rate_condition),
        features=features,
    )
