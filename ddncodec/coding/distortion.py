"""How much a difference between pictures counts when indices are chosen: the plain squared error.

The weighted one, of the same methods, is in `visual_weights`. Either is exact in Gram moments (see `model.gram`), so
that no candidate is ever built. Decoders know nothing of it.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ddncodec.model import gram
from ddncodec.model.gram import FeatureSource


class Distortion(Protocol):
    """The distortion at one level."""

    def residual(self, cells: Tensor) -> Tensor:
        """Differences of pictures, in cells (B, gh, gw, P, colors), in the form that `errors` and `moments` take."""

    def errors(self, residual: Tensor) -> Tensor:
        """Distortion of every cell, (B, gh, gw)."""

    def moments(self, features: FeatureSource, residual: Tensor) -> Tensor:
        """Moments of every cell, (B, gh, gw, D), of what keeping would leave; no gradient."""

    def terms(self, codebook: Tensor, cosines: int) -> Tensor:
        """Terms (K, D) that belong to the moments, of candidates (K, Fd, colors) as for `gram.terms`."""

    def apart(self, moments: Tensor, cosines: int, learned: int) -> Tensor:
        """The same moments, (B, gh, gw, D'), of which sums over cells and pictures hold normal equations."""

    def terms_apart(self, codebook: Tensor, cosines: int) -> Tensor:
        """Terms (K, D') that belong to those."""


class SquaredError:
    """Errors of all pixels and colours count alike, as they do in PSNR."""

    def residual(self, cells: Tensor) -> Tensor:
        return cells

    def errors(self, residual: Tensor) -> Tensor:
        return residual.square().sum(dim=(3, 4))

    def moments(self, features: FeatureSource, residual: Tensor) -> Tensor:
        return gram.moments(features, residual)

    def terms(self, codebook: Tensor, cosines: int) -> Tensor:
        return gram.terms(codebook, cosines)

    def apart(self, moments: Tensor, cosines: int, learned: int) -> Tensor:
        return moments

    def terms_apart(self, codebook: Tensor, cosines: int) -> Tensor:
        return gram.terms(codebook, cosines)
