"""The precision of the network's convolutions: float32, or bfloat16 where the processor has instructions for it.

Parsing a stream never depends on it. Pixels in bfloat16 differ from those in float32 by 0.21 of 255 (root mean
square, one picture; benchmarks/LOG.md).
"""

from __future__ import annotations

import os
from functools import cache

import torch

from ddncodec.errors import ArgumentError
from ddncodec.model import kernels

AUTO = "auto"
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
PRECISION_VARIABLE = "DDNC_PRECISION"
"""An environment variable that names what "auto" stands for."""
INSTRUCTIONS = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
"""Functions of `torch.cpu`; a torch that lacks one cannot tell, which counts as no."""


def check_precision(name: str) -> None:
    """Raise ArgumentError unless `name` is a precision or "auto"."""
    if name not in (AUTO, *PRECISIONS):
        raise ArgumentError(f"`precision` (={name!r}) must be one of {', '.join((AUTO, *PRECISIONS))}")


def precision_of(name: str, device: torch.device) -> torch.dtype:
    """The precision that a name stands for on a device. Raises ArgumentError."""
    check_precision(name)
    if name == AUTO:
        name = os.environ.get(PRECISION_VARIABLE) or AUTO
        check_precision(name)
    if name != AUTO:
        return PRECISIONS[name]
    return torch.bfloat16 if device.type == "cpu" and has_bfloat16() else torch.float32


@cache
def has_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16 (AMX or AVX512-BF16) and torch has kernels with them."""
    return any(getattr(torch.cpu, name, bool)() for name in INSTRUCTIONS) and kernels.usable(torch.bfloat16)
