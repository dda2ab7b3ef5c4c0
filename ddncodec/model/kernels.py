"""Convolutions and matrix products of oneDNN, with weights brought into its own order once.

torch reaches oneDNN through `torch.ops.mkldnn`, which its compiler uses: a convolution with GELU in one pass over
memory, and products that are 2.3 times as fast as those of `torch.nn.functional.linear` on processors for which MKL,
the library that torch calls, has no kernels.
"""

from __future__ import annotations

import dataclasses
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

ONES = [1, 1]
TOLERANCES = {torch.float32: (1e-4, 1e-4), torch.bfloat16: (0.03, 0.1)}
"""Relative and absolute errors up to which a kernel counts as right."""


@dataclasses.dataclass(frozen=True)
class Linear:
    """x W^T + b over the last dimension: `weight` (out, in) in oneDNN's order, `bias` (out,) or None, of one dtype."""

    weight: Tensor
    bias: Tensor | None
    outputs: int

    def __call__(self, x: Tensor) -> Tensor:
        """x (n, in) -> (n, out), contiguous."""
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A convolution of 3 x 3 with GELU (tanh), which pads columns with zeros and loses a row at either end."""

    weight: Tensor

    def __call__(self, x: Tensor, bias: Tensor) -> Tensor:
        """x (B, in, h + 2, w) channels last, bias (out,) -> (B, out, h, w) channels last."""
        return torch.ops.mkldnn._convolution_pointwise(x, self.weight, bias, [0, 1], ONES, ONES, 1, "gelu", [], "tanh")


def linear(weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Linear:
    """The product with float32 weights (out, in) and bias (out,), computed in `dtype`."""
    ordered = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype).contiguous())
    return Linear(ordered, None if bias is None else bias.to(dtype), weight.shape[0])


def convolution(weight: Tensor, dtype: torch.dtype) -> Convolution:
    """The convolution with float32 weights (out, in, 3, 3), computed in `dtype`."""
    cast = weight.to(dtype).contiguous(memory_format=torch.channels_last)
    return Convolution(torch.ops.mkldnn._reorder_convolution_weight(cast, [0, 1], ONES, ONES, 1, None))


def serves(x: Tensor) -> bool:
    """Whether `product` is for products with x: on processors, in float32, and where no gradient is wanted."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and torch.is_inference_mode_enabled() and usable()


def product(x: Tensor, weight: Tensor) -> Tensor:
    """x (n, in) times the transpose of weight (out, in), for x that `serves` says yes to."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")


@cache
def usable(dtype: torch.dtype = torch.float32) -> bool:
    """Whether this torch has these kernels for `dtype` on this processor: they are tried on a few numbers."""
    if not torch.backends.mkldnn.is_available() or dtype not in TOLERANCES:
        return False
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(shape, generator=generator) for shape in ((1, 4, 5, 6), (8, 4, 3, 3)))
    x, bias = x.to(dtype).contiguous(memory_format=torch.channels_last), torch.arange(8.0)
    try:
        with torch.inference_mode():
            found = convolution(weight, dtype)(x, bias.to(dtype))
            rows = found.permute(0, 2, 3, 1).reshape(-1, 8)
            sums = linear(weight[:, :, 0, 0].repeat(1, 2), bias, dtype)(rows)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    expected = F.gelu(F.conv2d(x.float(), weight, bias, padding=(0, 1)), approximate="tanh")
    expected_sums = F.linear(rows.float(), weight[:, :, 0, 0].repeat(1, 2), bias)
    rtol, atol = TOLERANCES[dtype]
    pairs = ((found, expected), (sums, expected_sums))
    return all(torch.allclose(one.float(), other, rtol=rtol, atol=atol) for one, other in pairs)
