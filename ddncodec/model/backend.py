"""Who computes a trained network: the network itself, or kernels of the processor, which compute the same faster."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import torch
from torch import Tensor

from ddncodec.model import kernels
from ddncodec.model.fused import FusedBackend
from ddncodec.model.network import DiscreteDistributionNetwork, Proposal, State


class Backend(Protocol):
    """The walk through the levels of a trained network, as `DiscreteDistributionNetwork` describes it.

    Proposals and states of one backend are for that backend only.
    """

    def propose(self, state: State) -> Proposal:
        """Run the trunk block of the next level."""

    def advance(self, proposal: Proposal, indices: Tensor) -> State:
        """Take candidate `indices` (B, gh, gw) int64 in every cell."""

    def follow(self, state: State, indices: Tensor) -> State:
        """`advance(propose(state), indices)`; the memory of `state` may be used for the result."""

    def render(self, state: State) -> Tensor:
        """The picture so far at full size, (B, 3, H, W) nominally in [-1, 1]."""


@dataclasses.dataclass(frozen=True)
class PlainBackend:
    """The network itself, with convolutions in `precision`: what the kernels are compared with, and what GPUs run."""

    network: DiscreteDistributionNetwork
    device: torch.device
    precision: torch.dtype

    def propose(self, state: State) -> Proposal:
        """See `Backend`."""
        with self._autocast():
            return self.network.propose(state)

    def advance(self, proposal: Proposal, indices: Tensor) -> State:
        """See `Backend`."""
        return self.network.advance(proposal, indices)

    def follow(self, state: State, indices: Tensor) -> State:
        """See `Backend`."""
        with self._autocast():
            return self.network.follow(state, indices)

    def render(self, state: State) -> Tensor:
        """See `Backend`."""
        with self._autocast():
            return self.network.render(state)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32)


def backend_of(network: DiscreteDistributionNetwork, device: torch.device, precision: torch.dtype) -> Backend:
    """The fastest backend there is for a network, which is on `device` and does not change any more."""
    if device.type == "cpu" and kernels.usable(precision):
        return FusedBackend(network, precision)
    return PlainBackend(network, device, precision)
