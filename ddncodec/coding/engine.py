"""A model at work: what encoder and decoder share, and the walk of the decoder from index planes to pictures.

Works on one batch of equally large pictures that fits in memory; `tiles` cuts larger ones.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bitstream import Header, Planes
from bitstream.context import DEFAULT_LAMBDA_STEP
from ddncodec.coding.condition import Condition, to_condition
from ddncodec.coding.narrowing import WORTH, Window, narrowed, reaches, stride_before, unit_of
from ddncodec.coding.post_filter import REACH, PostFilter
from ddncodec.coding.rate import lambda_of_step
from ddncodec.coding.tiling import DEFAULT_TILING, Tiling
from ddncodec.errors import ArgumentError
from ddncodec.model import Proposal, State
from ddncodec.model.backend import Backend, PlainBackend, backend_of
from ddncodec.samples import to_pixels, to_samples
from ddncodec.zoo.loading import Model


@dataclasses.dataclass(frozen=True)
class Engine:
    """A model, the device it runs on, the precision of its convolutions, and what a conditional model is given.

    `condition` is as for `DiscreteDistributionNetwork.initial_state`, a plane as large as the pictures. `tiling` says
    how large pictures are cut, which bounds the memory. Without `kernels` torch's modules run, whose hooks are called.
    """

    model: Model
    device: torch.device
    precision: torch.dtype = torch.float32
    condition: Tensor | None = None
    tiling: Tiling = DEFAULT_TILING
    kernels: bool = True

    @functools.cached_property
    def backend(self) -> Backend:
        """What computes the network here."""
        make = backend_of if self.kernels else PlainBackend
        return make(self.model.network, self.device, self.precision)

    def with_condition(self, condition: Condition) -> Engine:
        """The same engine for pictures of which this is known. Raises ArgumentError, ImageError."""
        return dataclasses.replace(self, condition=to_condition(self.model.network.config, condition).to(self.device))

    def start(self, headers: Sequence[Header]) -> State:
        """The state before the first level, for equally large pictures.

        Raises ArgumentError where what is given is missing, or does not fit the model or the pictures.
        """
        condition, network = self.condition, self.model.network
        height, width = headers[0].height, headers[0].width
        rows, cols = network.config.padded(height, width)
        if condition is not None and condition.dim() == 4:
            if condition.shape[2:] != (height, width):
                sides = f"{condition.shape[3]} x {condition.shape[2]}"
                raise ArgumentError(
                    f"`condition` is {sides} pixels, must be {width} x {height} as the picture or its tile"
                )
            condition = F.pad(condition, (0, cols - width, 0, rows - height), mode="replicate")
        lambdas = [lambda_of_step(lambda_step_of(header)) for header in headers]
        return network.initial_state(
            torch.tensor(lambdas, dtype=torch.float32, device=self.device), rows, cols, condition
        )

    @torch.inference_mode()
    def replay(
        self, planes: Sequence[Planes], headers: Sequence[Header], filters: Sequence[PostFilter | None] = ()
    ) -> np.ndarray:
        """Decode index planes of equally large pictures, as far as they go: (B, H, W, 3) uint8.

        `filters` are the pictures' post-filters, if there are any.
        """
        states = deque(self._walk(planes, headers), maxlen=1)  # all of them would fill the memory
        return self._pixels(self.render(states.pop(), headers[0]), filters)

    @torch.inference_mode()
    def replay_part(self, planes: Planes, header: Header, part: Window, post_filter: PostFilter | None) -> np.ndarray:
        """Decode a part of one picture, (h, w, 3) uint8, as it is in the whole, to one level of 255."""
        config, state = self.model.network.config, self.start([header])
        height, width = config.padded(header.height, header.width)
        whole = window = Window(slice(0, height), slice(0, width))
        for level, indices in enumerate(self._padded_indices([planes], header)):
            smaller = part.grown(reaches(config, len(planes))[level], unit_of(config, level), window)
            if smaller.area <= WORTH * window.area:
                state, window = narrowed(state, smaller, window, stride_before(config, level)), smaller
            state = self.backend.follow(state, window.of(indices, config.levels[level].cell, whole))
        shown = part.grown(REACH, 1, window.clipped(header.height, header.width))
        picture = shown.of(self.backend.render(state), 1, window)[0].float()
        picture = post_filter.apply(picture) if post_filter else picture
        return to_pixels(part.of(picture[None], 1, shown))[0]

    @torch.inference_mode()
    def replay_progressively(
        self, planes: Planes, header: Header, post_filter: PostFilter | None = None
    ) -> Iterator[np.ndarray]:
        """Decode one picture level by level, yielding (H, W, 3) uint8 after each; the last one is filtered."""
        for state in self._walk([planes], [header]):
            yield self._pixels(self.render(state, header), [post_filter] if state.level == len(planes) else ())[0]

    def _walk(self, planes: Sequence[Planes], headers: Sequence[Header]) -> Iterator[State]:
        state = self.start(headers)
        for indices in self._padded_indices(planes, headers[0]):
            state = self.backend.follow(state, indices)
            yield state

    def decode(self, planes: Sequence[Planes], headers: Sequence[Header]) -> Tensor:
        """`replay` as a differentiable function of the weights: (B, 3, H, W) float32 nominally in [-1, 1]."""
        state, plain = self.start(headers), PlainBackend(self.model.network, self.device, self.precision)
        for indices in self._padded_indices(planes, headers[0]):
            state = plain.advance(plain.propose(state), indices)
        return self._cropped(plain.render(state), headers[0])

    def _padded_indices(self, planes: Sequence[Planes], header: Header) -> Iterator[Tensor]:
        """Indices (B, gh, gw) int64 of each level, 0 in cells outside the pictures."""
        height, width = self.model.network.config.padded(header.height, header.width)
        for level, cell in enumerate(each.cell for each in self.model.info.layout[: len(planes[0])]):
            inside = torch.from_numpy(np.stack([each[level] for each in planes])).to(self.device, torch.int64)
            yield F.pad(inside, (0, width // cell - inside.shape[2], 0, height // cell - inside.shape[1]))

    def propose(self, state: State) -> Proposal:
        """The next level's proposal, in the engine's precision."""
        return self.backend.propose(state)

    def samples(self, pixels: np.ndarray) -> Tensor:
        """(B, H, W, 3) uint8 -> (B, 3, H', W') float32 in [-1, 1], edges repeated to the network's alignment."""
        height, width = pixels.shape[1:3]
        rows, cols = self.model.network.config.padded(height, width)
        return F.pad(to_samples(pixels, self.device), (0, cols - width, 0, rows - height), mode="replicate")

    def render(self, state: State, header: Header) -> Tensor:
        """The pictures so far, (B, 3, H, W) float32 nominally in [-1, 1], without what was added to align them."""
        return self._cropped(self.backend.render(state), header)

    @staticmethod
    def _cropped(picture: Tensor, header: Header) -> Tensor:
        return picture[:, :, : header.height, : header.width].float()

    @staticmethod
    def _pixels(picture: Tensor, filters: Sequence[PostFilter | None]) -> np.ndarray:
        for one, each in zip(picture, filters):
            if each is not None:
                one.copy_(each.apply(one))
        return to_pixels(picture)


def lambda_step_of(header: Header) -> int:
    """The lambda step; a stream without one comes from a model of one rate, whose step is DEFAULT_LAMBDA_STEP."""
    return DEFAULT_LAMBDA_STEP if header.lambda_step is None else header.lambda_step
