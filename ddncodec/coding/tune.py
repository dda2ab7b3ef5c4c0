"""What the encoder aims at when it chooses indices. The decoder does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddncodec.errors import ArgumentError

if TYPE_CHECKING:
    from ddncodec.coding.visual_weights import VisualWeights

TUNES = ("visual", "psnr")
"""Errors weighted as the eye sees them (`visual_weights`), or all alike."""
DEFAULT_TUNE = "visual"


def weights_of(tune: str) -> VisualWeights | None:
    """The weights of errors under a name of TUNES; None where all count alike. Raises ArgumentError."""
    if tune not in TUNES:
        raise ArgumentError(f"`tune` (={tune!r}) must be one of {', '.join(TUNES)}")
    if tune == "psnr":
        return None
    from ddncodec.coding.visual_weights import VISUAL

    return VISUAL
