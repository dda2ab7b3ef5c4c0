"""Gram selection against building the K candidates, side by side on the same cells.

Both get the features, residuals and codebook of a level and return the index of every cell. The first reduces each
cell to its moments and never builds a candidate (`ddncodec.model.gram`); the second multiplies features by all
outputs at once, in chunks of cells small enough for the cache, and compares pictures.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import numpy as np

from benchmarks.compare.environment import current_environment
from benchmarks.datasets import SYNTHETIC, first_picture
from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ddncodec.model import DiscreteDistributionNetwork
    from ddncodec.model.gram import Features
    from ddncodec.model.layer import DiscreteDistributionLayer

CHUNK_NUMBERS = 1 << 17
"""Numbers in one chunk of candidates: 512 KiB, which stay in the cache; larger and smaller ones were slower."""
INDEX_BITS = 8.0
RATE_LAMBDA = 512.0
TIE = 1e-5
"""Costs that differ by less than this share are a tie: float32 sums depend on the order of additions."""


@dataclass(frozen=True)
class Problem:
    """The choice of one level: an index for each of its cells.

    `prices` (K,) is what an index costs, in squared error; index 0 is free.
    """

    features: Features
    residual: Tensor
    codebook: Tensor
    prices: Tensor


@dataclass(frozen=True)
class Timing:
    """Medians of one kind of level, of which the model has `levels`."""

    stride: int
    cell: int
    outputs: int
    levels: int
    cells: int
    gram_seconds: float
    brute_seconds: float
    taken: float
    """Share of cells that chose another index than 0."""
    equal: float
    """Share of cells for which both chose the same index, ties counted as the same."""

    @property
    def ratio(self) -> float:
        return self.brute_seconds / self.gram_seconds


def select_by_gram(problem: Problem) -> Tensor:
    """Indices (n,) through moments and terms, as the encoder and the trainer choose them."""
    from ddncodec.coding.selection import least_cost_indices
    from ddncodec.model.gram import moments, terms

    cells = moments(problem.features, problem.residual).flatten(0, 2)
    candidates = terms(problem.codebook, problem.features.basis.shape[0])
    return least_cost_indices(cells, candidates, problem.prices, cells.new_zeros(cells.shape[0]))


def select_by_building(problem: Problem) -> Tensor:
    """Indices (n,) by building all K candidates of every cell and comparing them with its residual."""
    import torch

    outputs, count, colors = problem.codebook.shape
    features = full_features(problem.features)
    weights = problem.codebook.permute(1, 2, 0).reshape(count, colors * outputs)
    residual = problem.residual.flatten(0, 2)
    pixels = residual.shape[1]
    rows = max(1, CHUNK_NUMBERS // (pixels * colors * outputs))
    chosen = []
    for start in range(0, features.shape[0], rows):
        part = features[start : start + rows]
        candidates = (part.flatten(0, 1) @ weights).view(part.shape[0], pixels * colors, outputs)
        candidates -= residual[start : start + rows].reshape(part.shape[0], pixels * colors, 1)
        cost = candidates.square_().sum(dim=1).add_(problem.prices)
        chosen.append(cost.argmin(dim=1))
    return torch.cat(chosen)


def full_features(features: Features) -> Tensor:
    """Features of every cell as one matrix, (n, P, Fd)."""
    import torch

    cosine = features.basis.T * features.gains.flatten(0, 2)[:, None, :]
    return torch.cat([cosine, features.learned.flatten(0, 2)], dim=-1)


def agreement(problem: Problem, one: Tensor, other: Tensor) -> float:
    """Share of cells with equal indices; cells whose two costs are a tie in double precision count as equal."""
    differ = (one != other).nonzero().flatten()
    if not len(differ):
        return 1.0
    features = full_features(problem.features)[differ].double()
    residual = problem.residual.flatten(0, 2)[differ].double()
    costs = [
        (residual - features @ problem.codebook[indices[differ]].double()).square().sum(dim=(1, 2))
        + problem.prices[indices[differ]].double()
        for indices in (one, other)
    ]
    wrong = (costs[0] - costs[1]).abs() > TIE * costs[1]
    return 1 - int(wrong.sum()) / one.numel()


def problems(network: DiscreteDistributionNetwork, picture: np.ndarray) -> Iterator[Problem]:
    """Walk through the levels of a picture (H, W, 3) uint8, sides multiples of the alignment, and yield each choice.

    The codebook of each level is fitted to cells of the picture drawn at random, one for each output but 0, so that
    candidates are as close to each other and to the target as trained ones.
    """
    import torch

    from ddncodec.coding.selection import SAMPLE_SCALE, price_unit
    from ddncodec.model.cells import pack, shrink, to_cells
    from ddncodec.model.gram import moments

    samples = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / SAMPLE_SCALE - 1
    lambdas, generator = torch.tensor([RATE_LAMBDA]), torch.Generator().manual_seed(0)
    state = network.initial_state(lambdas, *samples.shape[2:])
    for level in range(len(network.config.levels)):
        proposal, layer, scale = network.propose(state), network.layer(level), network.scale(level)
        residual = to_cells(pack(shrink(samples, scale)) - proposal.image, layer.side, 3)
        prices = torch.full((layer.codebook.shape[0],), INDEX_BITS) * price_unit(lambdas, scale)
        prices[0] = 0
        layer.codebook.data[1:] = _fit(moments(proposal.features, residual).flatten(0, 2), layer, generator)
        problem = Problem(proposal.features, residual, layer.codebook, prices)
        yield problem
        indices = select_by_gram(problem)
        state = network.advance(proposal, indices.view(proposal.features.grid))


def _fit(cells: Tensor, layer: DiscreteDistributionLayer, generator: torch.Generator) -> Tensor:
    """Ridge regressions of random cells, given their moments (n, D): (K - 1, Fd, 3)."""
    import torch

    from ddncodec.model.gram import normal_equations

    drawn = torch.randint(len(cells), (layer.codebook.shape[0] - 1,), generator=generator)
    right, gram = normal_equations(cells[drawn], layer.gram_layout)
    ridge = 0.1 * gram.diagonal(dim1=1, dim2=2).mean(dim=1)
    return torch.linalg.solve(gram + ridge[:, None, None] * torch.eye(gram.shape[-1]), right)


def time_levels(network: DiscreteDistributionNetwork, picture: np.ndarray, repeats: int) -> Iterator[Timing]:
    """Time one level of each kind, both ways in turn."""
    import torch

    shapes = [(stage.stride, level.cell, level.outputs) for stage in network.config.stages for level in stage.levels]
    with torch.inference_mode():
        for level, problem in enumerate(problems(network, picture)):
            shape = shapes[level]
            if shape in shapes[:level]:
                continue
            gram, brute = select_by_gram(problem), select_by_building(problem)  # warm-up
            seconds = [[_seconds(way, problem) for way in (select_by_gram, select_by_building)] for _ in range(repeats)]
            gram_seconds, brute_seconds = map(statistics.median, zip(*seconds, strict=True))
            yield Timing(
                *shape,
                levels=shapes.count(shape),
                cells=gram.numel(),
                gram_seconds=gram_seconds,
                brute_seconds=brute_seconds,
                taken=float((gram != 0).float().mean()),
                equal=agreement(problem, gram, brute),
            )


def total_seconds(timings: Sequence[Timing]) -> tuple[float, float]:
    """Seconds of all levels of the model, by Gram selection and by building candidates."""
    gram = sum(timing.levels * timing.gram_seconds for timing in timings)
    return gram, sum(timing.levels * timing.brute_seconds for timing in timings)


def render(timings: Sequence[Timing]) -> str:
    """The table that the command prints."""
    lines = ["stride cell    K levels  cells   Gram ms  built ms  ratio    taken     equal"]
    for t in timings:
        lines.append(
            f"{t.stride:6} {t.cell:4} {t.outputs:4} {t.levels:6} {t.cells:6} "
            f"{1e3 * t.gram_seconds:9.2f} {1e3 * t.brute_seconds:9.2f} {t.ratio:6.1f} "
            f"{100 * t.taken:6.1f} % {100 * t.equal:7.3f} %"
        )
    gram, brute = total_seconds(timings)
    lines.append(f"{'all levels':>32} {1e3 * gram:9.2f} {1e3 * brute:9.2f} {brute / gram:6.1f}")
    return "\n".join(lines)


def _seconds(select: Callable[[Problem], Tensor], problem: Problem) -> float:
    start = time.perf_counter()
    select(problem)
    return time.perf_counter() - start


def _picture(source: str, unit: int) -> np.ndarray:
    """The first picture of a folder, or the drawn one, cut to sides that are multiples of `unit`."""
    pixels = first_picture(source)
    height, width = (side // unit * unit for side in pixels.shape[:2])
    if not height or not width:
        raise BenchmarkError(f"picture is {pixels.shape[1]} x {pixels.shape[0]}, each side must be at least {unit}")
    return pixels[:height, :width]


@click.command()
@click.option(
    "--images", default=SYNTHETIC, show_default=True, metavar="DIR|synthetic", help="The first picture there is used."
)
@click.option("--recipe", default="photo", show_default=True, help="Whose network; its weights are random.")
@click.option("--repeats", default=7, show_default=True, type=click.IntRange(1), help="Timings of each, in turn.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Of both.")
def selection(images: str, recipe: str, repeats: int, threads: int) -> None:
    """Time Gram selection against building all K candidates."""
    import torch

    from ddncodec.model import DiscreteDistributionNetwork
    from ddncodec.training.recipes import RECIPES

    if recipe not in RECIPES:
        raise click.BadParameter(f"'{recipe}' is none of {', '.join(RECIPES)}", param_hint="--recipe")
    torch.set_num_threads(threads)
    network = DiscreteDistributionNetwork(RECIPES[recipe].network, torch.Generator().manual_seed(0))
    picture = _picture(images, network.config.alignment)
    environment = current_environment()
    click.echo(f"{environment.machine}, {threads} thread(s), torch {environment.torch}, float32")
    click.echo(f"{picture.shape[1]} x {picture.shape[0]} pixels, medians of {repeats}, taken in turn")
    click.echo(render(list(time_levels(network, picture, repeats))))
