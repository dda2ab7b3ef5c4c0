"""Principal components of pictures of one cell: the basis of models whose pictures all show the same kind of thing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ddncodec.model.cells import COLORS, PACKED, cosines
from ddncodec.model.config import PATCH

LUMA_SHARE, CHROMA_SHARE = 5 / 8, 1 / 4
"""Frequencies that components are made of, as a share of those there are, in each direction."""
OPPONENT = ((1.0, 1.0, 1.0), (1.0, 0.0, -1.0), (1.0, -2.0, 1.0))
"""Rows turn RGB into one brightness and two differences; orthogonal, here not yet of unit length."""


class PrincipalComponents(nn.Module):
    """Orthonormal pictures of `side` x `side` trunk positions, and a mean, kept as their low DCT coefficients.

    `images` (count, P) are the components and `mean` (P,) the mean, P = 48 side^2 samples in the order of a cell
    (see `model.cells`) with colour last; network samples, nominally in [-1, 1]. Where pictures are of
    `classes` classes, each has a mean: (classes, P).
    """

    images: Tensor
    mean: Tensor

    def __init__(self, side: int, count: int, classes: int = 0) -> None:
        super().__init__()
        self.side = side
        length = PATCH * side
        self.luma, self.chroma = round(length * LUMA_SHARE), round(length * CHROMA_SHARE)
        width = self.luma**2 + 2 * self.chroma**2
        self.coefficients = nn.Parameter(torch.zeros(count, width), requires_grad=False)
        means = (classes,) if classes else ()
        self.center = nn.Parameter(torch.zeros(*means, width), requires_grad=False)
        self.register_buffer("images", torch.zeros(count, PACKED * side * side), persistent=False)
        self.register_buffer("mean", torch.zeros(*means, PACKED * side * side), persistent=False)
        # torch has no types for it
        self.register_load_state_dict_post_hook(lambda module, keys: module.refresh())  # type: ignore[no-untyped-call]

    def analyze(self, cells: Tensor) -> Tensor:
        """Samples of cells (n, P) -> their low DCT coefficients (n, M)."""
        length = PATCH * self.side
        tiles = cells.view(-1, self.side, self.side, PATCH, PATCH, COLORS).transpose(2, 3)
        pictures = tiles.reshape(-1, length, length, COLORS)
        waves, opponent = self._waves()
        spectrum = torch.einsum("ui,nijc,vj,dc->nduv", waves, pictures, waves, opponent)
        brightness = spectrum[:, 0, : self.luma, : self.luma]
        return torch.cat([brightness.flatten(1), spectrum[:, 1:, : self.chroma, : self.chroma].flatten(1)], dim=1)

    def synthesize(self, coefficients: Tensor) -> Tensor:
        """Inverse of `analyze` on the pictures that it keeps whole: (n, M) -> (n, P)."""
        count, length = coefficients.shape[0], PATCH * self.side
        spectrum = coefficients.new_zeros(count, COLORS, length, length)
        brightness, differences = coefficients.split([self.luma**2, 2 * self.chroma**2], dim=1)
        spectrum[:, 0, : self.luma, : self.luma] = brightness.view(count, self.luma, self.luma)
        spectrum[:, 1:, : self.chroma, : self.chroma] = differences.view(count, 2, self.chroma, self.chroma)
        waves, opponent = self._waves()
        pictures = torch.einsum("ui,nduv,vj,dc->nijc", waves, spectrum, waves, opponent)
        tiles = pictures.reshape(count, self.side, PATCH, self.side, PATCH, COLORS).transpose(2, 3)
        return tiles.reshape(count, -1)

    @torch.no_grad()
    def refresh(self) -> None:
        """Recompute the pictures from the coefficients; to be called after a change of these."""
        self.images.copy_(self.synthesize(self.coefficients))
        self.mean.copy_(self.synthesize(self.center.view(-1, self.center.shape[-1])).view_as(self.mean))

    def _waves(self) -> tuple[Tensor, Tensor]:
        opponent = torch.tensor(OPPONENT, dtype=torch.float32, device=self.coefficients.device)
        return cosines(PATCH * self.side).to(opponent), opponent / opponent.norm(dim=1, keepdim=True)
