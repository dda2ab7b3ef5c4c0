"""Whether a device convolves in bfloat16, or would only pretend to."""

from __future__ import annotations

import torch


def fast_precision(device: torch.device) -> str:
    """Return the one of "float32" and "bfloat16" in which `device` trains faster.

    A processor without instructions for bfloat16 emulates it, at 30 times the time of float32 (benchmarks/LOG.md).
    """
    if device.type == "cpu":
        return "bfloat16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"
    return "bfloat16"
