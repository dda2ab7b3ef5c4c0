"""What callers hand over, checked: each error names the argument, its value and what it must be."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from ddncodec.coding.tiling import Region
from ddncodec.errors import ArgumentError, ImageError, shortened

MAX_THREADS = 1024


def check_threads(threads: object) -> None:
    """Raise ArgumentError unless it is None or 1..MAX_THREADS."""
    if threads is not None and not (isinstance(threads, Integral) and 1 <= int(threads) <= MAX_THREADS):
        raise ArgumentError(f"`threads` (={threads!r}) must be an integer 1..{MAX_THREADS}")


def on_host(image: object) -> Any:
    """A tensor (C, H, W) or (H, W) as an array (H, W, C) or (H, W); anything else as it is."""
    if not isinstance(image, Tensor):
        return image
    shape = tuple(image.shape)
    if image.dtype != torch.uint8 or image.layout != torch.strided or image.device.type == "meta":
        kind = f"{image.dtype}, {image.layout}, on {image.device}"
        raise ImageError(f"`image` is a tensor of {kind}; must be torch.uint8, torch.strided, on a device with memory")
    if len(shape) not in (2, 3) or (len(shape) == 3 and not 1 <= shape[0] <= 4):
        raise ImageError(f"`image` has shape {shape}, must be (H, W) or (C, H, W) with C of 1..4, as a tensor")
    array = image.detach().cpu().numpy()
    return array.transpose(1, 2, 0) if array.ndim == 3 else array


def check_data(data: bytes) -> bytes:
    """The same, or ArgumentError unless it is bytes."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ArgumentError(f"`data` is a {type(data).__name__}, must be bytes: the content of a stream, not its path")
    return data


def to_region(region: object) -> Region:
    """The region (x, y, width, height) in pixels. Raises ArgumentError unless it is four integers."""
    if not (isinstance(region, Sequence) and len(region) == 4 and all(isinstance(each, Integral) for each in region)):
        raise ArgumentError(f"`region` (={region!r}) must be four integers: x, y, width and height")
    return Region(*(int(each) for each in region))


def to_device(name: str) -> torch.device:
    """The device of this name. Raises ArgumentError unless it can be used here."""
    try:
        device = torch.device(name)
        usable = torch.zeros(1, device=device).cpu().item() == 0
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise ArgumentError(f"`device` (={name!r}) is not usable here: {shortened(reason)}") from error
    if not usable:
        raise ArgumentError(f"`device` (={name!r}) is not usable here: it does not hold what is written to it")
    return device
