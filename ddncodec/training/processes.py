"""The processes of one run under `torchrun`: sums over all of them, and which one reports."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor


def rank() -> int:
    """Number of this process, from 0; 0 where there is only one."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """Number of processes that share the run."""
    return dist.get_world_size() if dist.is_initialized() else 1


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the group that `torchrun` describes in the environment; without one, a single process."""
    if "RANK" not in os.environ:
        yield
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def any_process(flag: bool, device: torch.device) -> bool:
    """Whether `flag` is set in any process, so that all take the same way."""
    count = torch.tensor([float(flag)], device=device)
    sum_over_processes([count])
    return bool(count.item())


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace every gradient by its mean over all processes."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    sum_over_processes(gradients)
    for gradient in gradients if world() > 1 else ():
        gradient /= world()


def sum_over_processes(tensors: list[Tensor]) -> None:
    """Replace every tensor by its sum over all processes, in one transfer."""
    if world() == 1:
        return
    joined = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(joined)
    for tensor, summed in zip(tensors, joined.split([tensor.numel() for tensor in tensors])):
        tensor.copy_(summed.view_as(tensor))
