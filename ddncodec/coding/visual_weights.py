"""Squared errors weighted as the eye sees them, as exact Gram moments (see `model.gram`).

Within a cell, an error is brought into the cell's orthonormal DCT and into an orthonormal opponent colour basis: luma,
red-green, blue-yellow. There each coefficient counts by its frequency, luma and chroma by curves of their own, and the
whole cell by the local activity of the picture, for errors in smooth parts are seen sooner than in busy ones:

    error = a sum over components c of ||D_c^(1/2) T (R - W F) O_c||^2

with the DCT T, the colours O, the weights D_c of coefficients and a of the cell. Its moments are those of luma and then
those of chroma, of features and residual times the square roots of the weights. A cosine feature is one coefficient of
T, so that the block of cosines in the Gram matrix stays diagonal.
"""

from __future__ import annotations

import dataclasses
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from ddncodec.coding.distortion import Distortion, SquaredError
from ddncodec.model import gram, kernels
from ddncodec.model.cells import COLORS, cell_frequencies, cosine_basis
from ddncodec.model.config import PATCH
from ddncodec.model.gram import CACHED, FeatureSource, GramLayout
from ddncodec.model.layer import DiscreteDistributionLayer
from ddncodec.samples import SAMPLE_SCALE

LUMA = (0.299, 0.587, 0.114)
"""Luma of ITU-R BT.601, in which activity is measured."""
OPPONENT = ((1.0, 1.0, 1.0), (1.0, -1.0, 0.0), (1.0, 1.0, -2.0))
"""Luma, red-green and blue-yellow in R, G and B, not yet of length 1."""
STRIP = 1 << 9
"""Rows of pixels whose activity is computed at once; a multiple of PATCH."""


@dataclasses.dataclass(frozen=True)
class VisualWeights:
    """How much squared errors count; found by trials on validation pictures (benchmarks/LOG.md).

    A luma coefficient of frequency f, in cycles per full-size pixel, counts clip(`corner` / f, `least`, `most`); a
    chroma coefficient that times `chroma` clip(`chroma_corner` / f, `chroma_least`, 1). A pixel counts (v +
    `constant`)^-`exponent`, where v is the variance of luma, in squared 8-bit levels, in a square window of `window`
    pixels (an odd number), divided by the geometric mean of that over the picture.
    """

    corner: float = 0.25
    least: float = 1 / 3
    most: float = 3.0
    chroma: float = 0.6
    chroma_corner: float = 1 / 33
    chroma_least: float = 0.1
    window: int = 17
    constant: float = 100.0
    exponent: float = 0.5

    def curves(self, side: int, scale: int) -> Tensor:
        """Weights (3, P) float32 of the coefficients of a cell, luma first, ordered as in `cosine_basis`.

        The cell is `side` trunk positions wide, of a picture at 1/`scale` of full size.
        """
        cycles = (cell_frequencies(side) / scale).clamp(min=1e-9)
        luma = (self.corner / cycles).clamp(self.least, self.most)
        chroma = luma * self.chroma * (self.chroma_corner / cycles).clamp(self.chroma_least, 1.0)
        return torch.stack([luma, chroma, chroma])

    def activity(self, levels: Tensor) -> Tensor:
        """Weights (B, ceil(H/4), ceil(W/4)) of squares of 4 x 4 pixels: the means of those of their pixels.

        `levels` (B, 3, H, W) are pictures in 8-bit levels, uint8 or float32.
        """
        height, width = levels.shape[2:]
        right, luma = self.window // 2 + -width % PATCH, torch.tensor(LUMA, dtype=torch.float32, device=levels.device)
        parts, logs = [], torch.zeros(len(levels), dtype=torch.float64, device=levels.device)
        for top in range(0, height, STRIP):
            bottom = min(top + STRIP, height + -height % PATCH)
            rows = torch.arange(top - self.window // 2, bottom + self.window // 2, device=levels.device)
            strip = levels[:, :, rows.clamp(0, height - 1)].float()
            around = torch.einsum("bchw,c->bhw", strip, luma)[:, None]
            around = F.pad(around, (self.window // 2, right, 0, 0), mode="replicate")
            mean, square = (_box(each, self.window) for each in (around, around.square()))
            weight = ((square - mean.square()).clamp(min=0) + self.constant) ** -self.exponent
            logs += weight[:, :, : height - top, :width].double().log().sum(dim=(1, 2, 3))
            parts.append(F.avg_pool2d(weight, PATCH)[:, 0])
        mean = (logs / (height * width)).exp().float()
        return torch.cat(parts, dim=1) / mean[:, None, None]


VISUAL = VisualWeights()
"""The weights of `tune="visual"`."""


def _box(picture: Tensor, window: int) -> Tensor:
    return F.avg_pool2d(F.avg_pool2d(picture, (window, 1), stride=1), (1, window), stride=1)


@dataclasses.dataclass(frozen=True)
class WeightedSquaredError:
    """The weighted error at one level.

    `side` is that of a cell in trunk positions. Weights are `coefficients` (B, 3, P), for luma, chroma and the rows of
    the DCT, and `cells` (B, gh, gw).

    Moments are those of all colours where weights allow it, since fewer numbers are compared faster:

        [ R F^T of luma, of chroma | gains^2 | cosine x learned | learned x learned of luma, of chroma ]

    The weights of coefficients are in the first and the last part; in the others, which luma and chroma share, it is
    the terms that have them. So they must be the same for all pictures, unless moments and terms are `apart`.
    """

    side: int
    coefficients: Tensor
    cells: Tensor

    def residual(self, cells: Tensor) -> Tensor:
        """By component and frequency, (B, gh, gw, 3, P)."""
        turned = _times(cells.flatten(3), opponent_cosines(self.side, cells.device))
        return turned.view(*cells.shape[:3], COLORS, -1)

    def errors(self, residual: Tensor) -> Tensor:
        return (residual.square() * self.coefficients[:, None, None]).sum(dim=(3, 4)) * self.cells

    @torch.no_grad()
    def moments(self, features: FeatureSource, residual: Tensor) -> Tensor:
        width = features.part(slice(0, 1))[1].shape[2]
        rows = max(1, CACHED // (residual.shape[-1] * (width + COLORS)))
        flat, activity, parts = residual.flatten(0, 2), self.cells.flatten(), []
        each = len(flat) // len(residual)
        for i, weights in enumerate(self.coefficients):
            for start in range(i * each, (i + 1) * each, rows):
                block = slice(start, min(start + rows, (i + 1) * each))
                parts.append(self._moments(weights, activity[block], *features.part(block), flat[block]))
        return torch.cat(parts).view(*features.grid, -1)

    def _moments(self, weights: Tensor, activity: Tensor, gains: Tensor, learned: Tensor, residual: Tensor) -> Tensor:
        """Moments of n cells of one picture: `weights` (3, P), `activity` (n,), and so on."""
        cells, pixels, width = learned.shape
        count, transform = gains.shape[1], cosine_basis(self.side, pixels).to(gains)
        images = _times(learned.mT.reshape(-1, pixels), transform).view(cells, width, pixels)
        row, col = torch.triu_indices(width, width, device=gains.device)
        upper = row * width + col
        with_features, products = [], []
        for component in (slice(0, 1), slice(1, COLORS)):
            weight, left = weights[component.start], residual[:, component]
            weighted = images * weight
            with_features += [left[..., :count].mT * (gains * weight[:count])[..., None], weighted @ left.mT]
            products.append((weighted @ images.mT).flatten(1).index_select(1, upper))
        mixed = images[..., :count].mT * gains[..., None]
        parts = [*with_features, gains.square(), mixed, *products]
        return torch.cat([part.flatten(1) for part in parts], dim=1).mul_(activity[:, None])

    def terms(self, codebook: Tensor, cosines: int) -> Tensor:
        width, weights = codebook.shape[1] - cosines, self.coefficients[0, :, :cosines]
        apart = self.terms_apart(codebook, cosines).split_with_sizes(
            _sizes(cosines, width, 1) + _sizes(cosines, width, 2), dim=1
        )
        luma, chroma = apart[:4], apart[4:]
        squares = luma[1] * weights[0] + chroma[1] * weights[1]
        by_learned = (each.repeat_interleave(width) for each in weights)
        mixed = luma[2] * next(by_learned) + chroma[2] * next(by_learned)
        return torch.cat([luma[0], chroma[0], squares, mixed, luma[3], chroma[3]], dim=1)

    def apart(self, moments: Tensor, cosines: int, learned: int) -> Tensor:
        sizes = _sizes(cosines, learned, 1)
        luma, chroma, squares, mixed, *products = moments.split_with_sizes(
            [sizes[0], 2 * sizes[0], *sizes[1:], sizes[3]], dim=3
        )
        parts = []
        for component, right in enumerate((luma, chroma)):
            weights = self.coefficients[:, None, None, component, :cosines]
            by_learned = weights.repeat_interleave(learned, dim=3)
            parts += [right, squares * weights, mixed * by_learned, products[component]]
        return torch.cat(parts, dim=3)

    def terms_apart(self, codebook: Tensor, cosines: int) -> Tensor:
        turned = codebook @ opponent(codebook.device)
        return torch.cat([gram.terms(turned[..., :1], cosines), gram.terms(turned[..., 1:], cosines)], dim=1)


def _sizes(cosines: int, learned: int, colors: int) -> list[int]:
    return [*GramLayout(cosines, learned, colors).sizes]


@dataclasses.dataclass(frozen=True)
class WeightMap:
    """The weights of a batch of pictures, or of a part of each.

    `activity` (B, rows, cols) as `VisualWeights.activity` returns it. `visual` (B,) bool: the errors of the other
    pictures all count 1.
    """

    weights: VisualWeights
    activity: Tensor
    visual: Tensor

    @staticmethod
    def of(weights: VisualWeights, levels: Tensor, visual: Tensor | None = None) -> WeightMap:
        """The weights of pictures (B, 3, H, W) in 8-bit levels; all are visual unless `visual` says otherwise."""
        everyone = torch.ones(len(levels), dtype=torch.bool, device=levels.device)
        return WeightMap(weights, weights.activity(levels), everyone if visual is None else visual)

    def cut(self, rows: slice, cols: slice) -> WeightMap:
        """The weights of a part of each picture, of these pixels; they start at multiples of 4."""
        down, right = (slice(side.start // PATCH, -(-side.stop // PATCH)) for side in (rows, cols))
        return dataclasses.replace(self, activity=self.activity[:, down, right])

    def padded(self, height: int, width: int) -> WeightMap:
        """The weights of pictures whose edges are repeated to height x width."""
        down, right = height // PATCH - self.activity.shape[1], width // PATCH - self.activity.shape[2]
        return dataclasses.replace(self, activity=F.pad(self.activity, (0, right, 0, down), mode="replicate"))

    def at(self, side: int, scale: int) -> WeightedSquaredError:
        """The error at a level whose cells are `side` trunk positions of a picture at 1/`scale` of full size."""
        plain = ~self.visual
        coefficients = self.weights.curves(side, scale).to(self.activity).repeat(len(plain), 1, 1)
        cells = F.avg_pool2d(self.activity[:, None], side * scale)[:, 0]
        coefficients[plain], cells[plain] = 1.0, 1.0
        return WeightedSquaredError(side, coefficients, cells)


def distortion(weight_map: WeightMap | None, layer: DiscreteDistributionLayer, scale: int) -> Distortion:
    """The distortion at a layer of a stage at 1/`scale` of full size: plain, or weighted where there are weights.

    It is plain too where candidates mix the components of colours (`StageConfig.principal`), which no curve fits.
    """
    if weight_map is None or layer.colors != COLORS:
        return SquaredError()
    return weight_map.at(layer.side, scale)


@cache
def opponent(device: torch.device | None = None) -> Tensor:
    """An orthonormal colour basis, (3, 3), whose columns are luma, red-green and blue-yellow."""
    with torch.inference_mode(False):  # training, too, uses what is kept
        return F.normalize(torch.tensor(OPPONENT, dtype=torch.float32, device=device), dim=1).T.contiguous()


def _times(rows: Tensor, matrix: Tensor) -> Tensor:
    """Rows (..., n) times the transpose of a matrix (m, n)."""
    if kernels.serves(rows) and not rows.requires_grad:
        return kernels.product(rows.flatten(0, -2), matrix).view(*rows.shape[:-1], len(matrix))
    return rows @ matrix.T


@cache
def opponent_cosines(side: int, device: torch.device) -> Tensor:
    """Components and frequencies, as rows, of a cell of P pixels in R, G and B, (3 P, 3 P) float32."""
    basis = cosine_basis(side, (PATCH * side) ** 2).to(device)
    with torch.inference_mode(False):
        return torch.einsum("ci,fp->ifpc", opponent(device), basis).reshape(COLORS * len(basis), -1)


def levels_of(samples: Tensor) -> Tensor:
    """Samples in [-1, 1] as 8-bit levels, not rounded."""
    return (samples + 1) * SAMPLE_SCALE
