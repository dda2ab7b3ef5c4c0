"""The start of a model on principal components: components, then codebooks level after level, all in closed form."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ddncodec.model.cells import pack, to_cells
from ddncodec.model.layer import DiscreteDistributionLayer
from ddncodec.model.principal import PrincipalComponents
from ddncodec.training.codebooks import CodebookState
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.state import TrainState

BATCH = 2048
"""Crops, or points, that are computed at once."""
START_SCALE = 0.7
"""Factor on the points that Lloyd's algorithm starts from."""


def start_from_components(
    state: TrainState, pictures: Pictures, progress: Callable[[str], None] = lambda message: None
) -> None:
    """Set components, mean, codebooks and their sums of a fresh `state` as if the trunk did nothing yet.

    Components are those of `recipe.start.crops` crops. Each level works on the components in which most is left to do,
    with a codebook by Lloyd's algorithm on what earlier levels left (residual vector quantisation). Where the
    condition is the gray picture, all this is about what it leaves. A function of the recipe and the pictures.
    """
    recipe, network = state.recipe, state.network
    size = recipe.network.levels[0].cell
    device = network.device
    components = network.stage(0).principal
    progress("principal components")
    spectra, classes = [], []
    for first in range(0, recipe.start.crops, BATCH):
        count = min(BATCH, recipe.start.crops - first)
        batch = pictures.batch(count, size, (recipe.seed, first, size), recipe.network.condition).to(device)
        crops, of_class = batch.crops, torch.zeros(count, dtype=torch.int64)
        if batch.condition is not None and recipe.network.condition == "gray":
            crops = crops - batch.condition
        elif batch.condition is not None and recipe.network.condition == "class":
            of_class = batch.condition
        spectra.append(components.analyze(to_cells(pack(crops), components.side, 1).flatten(1)))
        classes.append(of_class)
    left = _analyze_components(components, torch.cat(spectra), torch.cat(classes).to(device))
    state.average.load_state_dict(network.state_dict())
    generator = torch.Generator().manual_seed(recipe.seed)
    samples = recipe.phases[-1].batch / (1 - recipe.codebook.decay)
    for level, book in enumerate(state.codebooks):
        progress(f"codebook {level + 1} of {len(state.codebooks)}")
        layer = network.layer(level)
        selected = left.square().mean(dim=0).topk(layer.cosines).indices.sort().values
        seen = left[:, selected]
        codebook, indices = lloyd(
            seen, layer.codebook.shape[0], recipe.start.rounds, recipe.codebook.ridge_cells, generator
        )
        left[:, selected] = seen - codebook[indices]
        for each in (layer, state.average.layer(level)):
            each.component_indices.data.copy_(selected)
            each.codebook.data.copy_(codebook[:, :, None])
        _fill(book, layer, seen, indices, samples / seen.shape[0])


def lloyd(
    points: Tensor, outputs: int, rounds: int, ridge_cells: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Lloyd's algorithm: a codebook (outputs, d) whose entry 0 is zero, and the nearest entry of each point (n, d).

    Every other entry is the mean of its points and `ridge_cells` more at the origin.
    """
    drawn = torch.randint(points.shape[0], (outputs - 1,), generator=generator)
    codebook = torch.cat([points.new_zeros(1, points.shape[1]), START_SCALE * points[drawn.to(points.device)]])
    for _ in range(rounds):
        indices = nearest(points, codebook)
        sums = torch.zeros_like(codebook).index_add_(0, indices, points)
        counts = torch.bincount(indices, minlength=outputs).to(sums)
        codebook = sums / (counts[:, None] + max(ridge_cells, 1e-6))
        codebook[0] = 0
    return codebook, nearest(points, codebook)


def nearest(points: Tensor, codebook: Tensor) -> Tensor:
    """Index of the nearest entry (n,) for each of the points (n, d)."""
    columns, norms = -2 * codebook.T, codebook.square().sum(dim=1)
    return torch.cat([torch.addmm(norms, block, columns).argmin(dim=1) for block in points.split(BATCH)])


def _analyze_components(components: PrincipalComponents, spectra: Tensor, classes: Tensor) -> Tensor:
    """Set means and components from DCT coefficients (n, M) of pictures of `classes` (n,), all 0 if there are none.

    Returns what each picture is of each component beyond the mean of its class, (n, count).
    """
    center = components.center.view(-1, spectra.shape[1])
    means = torch.stack([spectra[classes == number].mean(dim=0) for number in range(len(center))]).nan_to_num()
    spectra -= means[classes]
    _, vectors = torch.linalg.eigh(spectra.T @ spectra / spectra.shape[0])
    found = vectors.flip(1)[:, : components.coefficients.shape[0]].T.contiguous()
    components.center.data.copy_(means.view_as(components.center))
    components.coefficients.data.copy_(found)
    components.refresh()
    return spectra @ found.T


def _fill(book: CodebookState, layer: DiscreteDistributionLayer, seen: Tensor, indices: Tensor, scale: float) -> None:
    """Sums of a level (see `model.gram`; gains are still 1) as if `scale` times these points had been observed."""
    counts = torch.bincount(indices, minlength=layer.codebook.shape[0]).to(seen)
    outputs, width = counts.shape[0], seen.shape[1]
    right = seen.new_zeros(outputs, width).index_add_(0, indices, seen)
    squares = counts[:, None].expand(-1, width)
    nothing = seen.new_zeros(outputs, width, 0), seen.new_zeros(outputs, 0, 0)  # there are no learned features
    book.sums.copy_(layer.gram_layout.pack([right], squares, *nothing) * scale)
    book.counts.copy_(counts * scale)


__all__ = ["lloyd", "nearest", "start_from_components"]
