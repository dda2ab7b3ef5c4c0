"""Pictures of any size in bounded memory: overlapping tiles that share one set of indices.

Only the pictures are cut, never the stream. A tile is decoded with the indices of a margin around it, wide enough that
what lies beyond does not show; so tiles meet without a seam, and any region can be decoded on its own. The encoder goes
in reading order and takes over, in the margin, what earlier tiles have chosen.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from bitstream import Header, Planes, grid
from ddncodec.coding import encoder, post_filter
from ddncodec.coding.effort import EFFORTS, Effort
from ddncodec.coding.encoder import UNKNOWN, Reconstruction
from ddncodec.coding.engine import Engine
from ddncodec.coding.narrowing import Window
from ddncodec.coding.post_filter import Moments, PostFilter
from ddncodec.coding.tiling import Region, Tile, cut_planes, shifted
from ddncodec.coding.visual_weights import VisualWeights, WeightMap

RATE_WEIGHTS = (1, 2, 4, 8, 16)
"""Prices of a post-filter's bits for `choices`, in lambdas."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """What a stream says of a picture: index planes, and the weights of a post-filter, (components, ATOMS), or None."""

    planes: Planes
    weights: np.ndarray | None = None

    def post_filter(self, engine: Engine, header: Header) -> PostFilter | None:
        """The post-filter, if there is one and no plane is missing: it corrects the picture that all of them make."""
        if self.weights is None or len(self.planes) < len(engine.model.info.layout):
            return None
        return post_filter.post_filter(self.weights, header, engine.device)


def choose(
    engine: Engine,
    pixels: np.ndarray,
    header: Header,
    price: float | None = None,
    effort: Effort = EFFORTS[0],
    weights: VisualWeights | None = None,
) -> Choice:
    """Encode one picture (H, W, 3) uint8 of any size, at the lambda `price` or the header's.

    Errors count by `weights`, or all alike.
    """
    planes, sums = _encode(engine, pixels, header, price, effort, weights)
    return Choice(planes, _fitted(sums, header))


def choices(
    engine: Engine,
    pixels: np.ndarray,
    header: Header,
    price: float,
    effort: Effort = EFFORTS[0],
    weights: VisualWeights | None = None,
) -> Iterator[Choice]:
    """What `choose` returns, and the same with ever smaller post-filters, the last one with none."""
    planes, sums = _encode(engine, pixels, header, price, effort, weights)
    filters = (_fitted(sums, header, rate_weight) for rate_weight in RATE_WEIGHTS)
    yield from (Choice(planes, each) for each in filters if each is not None)
    yield Choice(planes)


def _encode(
    engine: Engine,
    pixels: np.ndarray,
    header: Header,
    price: float | None,
    effort: Effort,
    weights: VisualWeights | None,
) -> tuple[Planes, list[Moments]]:
    """The index planes of one picture, and moments of its tiles."""
    layout = engine.model.info.layout
    planes = [np.full(grid(level, header.width, header.height), UNKNOWN, np.int32) for level in layout]
    prices = None if price is None else [price]
    weight_map = _weight_map(engine, pixels[None], weights)
    sums: list[Moments] = []
    for tile in engine.tiling.tiles(header.height, header.width):
        outer = pixels[tile.outer_rows, tile.outer_cols]
        fixed = cut_planes(planes, layout, tile.outer_rows, tile.outer_cols)
        local = weight_map and weight_map.cut(tile.outer_rows, tile.outer_cols)
        encoded = encoder.encode(engine, outer[None], [tile.header(header)], [fixed], prices, effort, local)[0]
        rows, cols = tile.inner()
        kept = cut_planes(encoded.planes, layout, rows, cols)
        for whole, part in zip(cut_planes(planes, layout, tile.rows, tile.cols), kept):
            whole[:] = part
        sums += _moments(engine, encoded, outer, header, rows, cols)
    return planes, sums


def choose_batch(
    engine: Engine,
    pictures: Sequence[np.ndarray],
    headers: Sequence[Header],
    effort: Effort = EFFORTS[0],
    weights: VisualWeights | None = None,
) -> list[Choice]:
    """Encode one picture (H, W, 3) uint8 of any size, or equally large ones that fit one tile together."""
    if len(pictures) == 1:
        return [choose(engine, pictures[0], headers[0], None, effort, weights)]
    out, whole, pixels = [], slice(None), np.stack(pictures)
    weight_map = _weight_map(engine, pixels, weights)
    found = encoder.encode(engine, pixels, headers, effort=effort, weight_map=weight_map)
    for encoded, picture, header in zip(found, pixels, headers):
        sums = _moments(engine, encoded, picture, header, whole, whole)
        out.append(Choice(encoded.planes, _fitted(sums, header)))
    return out


def _weight_map(engine: Engine, pixels: np.ndarray, weights: VisualWeights | None) -> WeightMap | None:
    """The weights of whole pictures (B, H, W, 3) uint8, so that those of their tiles have no seam."""
    if weights is None:
        return None
    return WeightMap.of(weights, torch.from_numpy(np.array(pixels)).to(engine.device).permute(0, 3, 1, 2))


@torch.inference_mode()
def _moments(
    engine: Engine, encoded: Reconstruction, pixels: np.ndarray, header: Header, rows: slice, cols: slice
) -> list[Moments]:
    """Moments over a part of a picture (H, W, 3), one at most: streams without lambda have no filter."""
    if encoded.picture is None or header.lambda_step is None:
        return []
    original = engine.samples(pixels[None])[0, :, : pixels.shape[0], : pixels.shape[1]]
    return [post_filter.moments(encoded.picture, original, rows, cols)]


def _fitted(sums: list[Moments], header: Header, rate_weight: float = 1) -> np.ndarray | None:
    return post_filter.fit(functools.reduce(operator.add, sums), header, rate_weight) if sums else None


def replay(engine: Engine, choice: Choice, header: Header) -> np.ndarray:
    """Decode one picture of any size: (H, W, 3) uint8."""
    height, width = header.height, header.width
    return _replay_tiles(engine, choice, header, Region(0, 0, width, height), engine.tiling.tiles(height, width))


def replay_batch(engine: Engine, choices: Sequence[Choice], headers: Sequence[Header]) -> np.ndarray:
    """Decode one picture of any size, or equally large ones that fit one tile together: (B, H, W, 3) uint8."""
    if len(choices) == 1:
        return replay(engine, choices[0], headers[0])[None]
    filters = [choice.post_filter(engine, header) for choice, header in zip(choices, headers)]
    return engine.replay([choice.planes for choice in choices], headers, filters)


def replay_progressively(engine: Engine, choice: Choice, header: Header) -> Iterator[np.ndarray]:
    """Decode one picture of any size level by level: (H, W, 3) uint8 after each; only the last one is filtered.

    Pictures larger than one tile are decoded from the start for every level.
    """
    if engine.tiling.fits_one(header.height, header.width):
        yield from engine.replay_progressively(choice.planes, header, choice.post_filter(engine, header))
    else:
        for count in range(1, len(choice.planes) + 1):
            yield replay(engine, Choice(choice.planes[:count], choice.weights), header)


def replay_region(engine: Engine, choice: Choice, header: Header, region: Region) -> np.ndarray:
    """Decode a part of a picture, (h, w, 3) uint8: as the whole would be there, to one level of 255.

    Only the indices of the region and of a margin around it are replayed.
    """
    rows, cols = slice(region.y, region.y + region.height), slice(region.x, region.x + region.width)
    unit = engine.model.network.config.alignment
    parts = engine.tiling.cover(rows, cols, header.height, header.width, unit)
    return _replay_tiles(engine, choice, header, region, parts)


def _replay_tiles(engine: Engine, choice: Choice, header: Header, region: Region, parts: Iterable[Tile]) -> np.ndarray:
    pixels = np.empty((region.height, region.width, 3), np.uint8)
    layout = engine.model.info.layout
    filters = [choice.post_filter(engine, header)]
    for tile in parts:
        part = cut_planes(choice.planes, layout, tile.outer_rows, tile.outer_cols)
        inner = Window(*tile.inner())
        if inner == Window(
            shifted(tile.outer_rows, tile.outer_rows.start), shifted(tile.outer_cols, tile.outer_cols.start)
        ):
            kept = engine.replay([part], [tile.header(header)], filters)[0]
        else:
            kept = engine.replay_part(part, tile.header(header), inner, filters[0])
        pixels[shifted(tile.rows, region.y), shifted(tile.cols, region.x)] = kept
    return pixels
