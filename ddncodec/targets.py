"""Files of a wanted size or PSNR: a short search over the price of a bit.

The header records lambda in steps of 4.4 %, which may change the bytes by more than 3 %. A decoder does not care at
which lambda the encoder chose, so the search sets that price anywhere, also between steps and beyond the model's range,
and the header names the nearest step within it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Iterator
from functools import partial

import numpy as np

from bitstream import Header, grid
from ddncodec.codec import Codec
from ddncodec.coding import tiles
from ddncodec.coding.assembly import assemble, make_header
from ddncodec.coding.chunks import check_kinds
from ddncodec.coding.effort import DEFAULT_EFFORT, Effort, effort_of
from ddncodec.coding.price_search import Search, Trial
from ddncodec.coding.rate import lambda_of_step
from ddncodec.coding.tiles import Choice
from ddncodec.coding.tune import DEFAULT_TUNE, weights_of
from ddncodec.coding.visual_weights import VisualWeights
from ddncodec.errors import ArgumentError
from ddncodec.images.pixels import Picture, Pixels, pixels_of, to_array
from ddncodec.metrics import PSNR_OF_A_COPY, psnr

BYTES_TOLERANCE = 0.03
"""A file of wanted size uses all but this share of it."""
PSNR_TOLERANCE = 0.1
"""A picture of wanted PSNR exceeds it by at most this, in dB."""
STEPS_BELOW, STEPS_ABOVE = 48, 320
"""Lambda steps by which the price may leave the model's range: to an eighth, and to where nothing is worth a bit."""
BITS_AT_BEST, LOG_BYTES_PER_STEP = 1.0, 0.027
"""Bits per pixel of photographs at the best quality, about, and how their log falls with a lambda step."""
PSNR_AT_BEST, PSNR_PER_STEP = 36.0, 0.1
"""PSNR of photographs in dB at the best quality, about, and how it falls with a lambda step."""


class TargetError(ArgumentError):
    """The wanted size is below that of the smallest file which the model can make of the picture."""


@dataclasses.dataclass(frozen=True)
class Target:
    """What a file must meet, exactly one of: at most `max_bytes`, at most `bpp` bits per pixel, at least `psnr` dB.

    Bits per pixel are those of the whole file. PSNR is over the 8-bit samples, without alpha.
    """

    max_bytes: int | None = None
    bpp: float | None = None
    psnr: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        if len(given) != 1:
            raise ArgumentError(f"a target is one of `max_bytes`, `bpp` and `psnr`, got {len(given)} of them")
        for name, value in given.items():
            if not 0 < value < math.inf:
                raise ArgumentError(f"`{name}` (={value}) must be above 0")

    def bytes_for(self, width: int, height: int) -> int:
        """The largest file in bytes that a target of size allows."""
        if self.max_bytes is not None:
            return self.max_bytes
        assert self.bpp is not None, "a target of PSNR allows any size"
        return math.floor(self.bpp * width * height / 8)


@dataclasses.dataclass(frozen=True)
class Encoded:
    """A stream made for a target.

    `quality` is on the scale of `Codec.encode`, below 0 or above 100 where the price left the model's range. `psnr` in
    dB is None unless the target is one. `reached` is whether the target is met to BYTES_TOLERANCE or PSNR_TOLERANCE; if
    not, a size target is underspent by the best file, and a PSNR target missed by the best or exceeded by the smallest.
    """

    data: bytes
    quality: float
    psnr: float | None
    reached: bool


@dataclasses.dataclass(frozen=True)
class _Picture:
    """A picture and how it is encoded, except the price of a bit; `bare` is without a post-filter."""

    codec: Codec
    pixels: Pixels
    coding: str
    metadata: Collection[str]
    effort: Effort
    weights: VisualWeights | None
    bare: bool = False

    @property
    def range(self) -> tuple[int, int]:
        """The lambda steps of the best and of the worst quality."""
        return self.codec.lambda_step(100), self.codec.lambda_step(0)

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest price, in lambda steps."""
        return self.range[0] - STEPS_BELOW, self.range[1] + STEPS_ABOVE

    def by_bytes(self, step: float) -> Iterator[Trial]:
        header = self._header(step)
        for choice in self._choices(step, header):
            yield self._trial(step, choice, header)

    def by_psnr(self, step: float) -> Iterator[Trial]:
        header = self._header(step)
        for choice in self._choices(step, header):
            decoded = Pixels(tiles.replay(self.codec.engine, choice, header), self.pixels.gray)
            quality = psnr(to_array(dataclasses.replace(self.pixels, alpha=None)), to_array(decoded))
            yield dataclasses.replace(
                self._trial(step, choice, header), psnr=quality, value=min(quality, PSNR_OF_A_COPY)
            )

    def smallest(self) -> Trial:
        """The file in which every cell of every level keeps; it needs no search and no network."""
        step = self.ends[1]
        header = self._header(step)
        grids = [grid(level, header.width, header.height) for level in self.codec.info.layout]
        return self._trial(step, Choice([np.zeros(shape, np.int32) for shape in grids]), header)

    def encoded(self, trial: Trial, reached: bool) -> Encoded:
        best, worst = self.range
        quality = 100 * (worst - trial.step) / max(1, worst - best)
        return Encoded(trial.data, quality, trial.psnr, reached)

    def _header(self, step: float) -> Header:
        best, worst = self.range
        return make_header(self.codec.engine.model, self.pixels, self.coding, min(max(round(step), best), worst))

    def _choices(self, step: float, header: Header) -> Iterator[Choice]:
        found = tiles.choices(
            self.codec.engine, self.pixels.rgb, header, lambda_of_step(step), self.effort, self.weights
        )
        return iter([*found][-1:]) if self.bare else found

    def _trial(self, step: float, choice: Choice, header: Header) -> Trial:
        data = assemble(self.codec.engine.model, choice, header, self.pixels, self.metadata)
        return Trial(step, data, None, math.log(len(data)), choice.weights is not None)


def encode_to(
    codec: Codec,
    image: Picture,
    target: Target,
    coding: str = "coded",
    *,
    metadata: Collection[str] = (),
    background: str | None = None,
    effort: int = DEFAULT_EFFORT,
    tune: str | None = None,
    tried: Callable[[Trial], None] = lambda trial: None,
) -> Encoded:
    """Encode one picture to a target, which takes 3 to 5 encodings of most photographs; each is reported to `tried`.

    Other arguments are those of `Codec.encode`, but without a `tune` a PSNR is reached with that of "psnr". A size is
    never exceeded.

    Raises: TargetError, and as `Codec.encode`.
    """
    check_kinds(metadata)
    weights = weights_of(tune or (DEFAULT_TUNE if target.psnr is None else "psnr"))
    picture = _Picture(codec, pixels_of(image, background), coding, metadata, effort_of(effort), weights)
    with codec.computing():
        if target.psnr is not None:
            return _to_psnr(picture, target.psnr, tried)
        height, width = picture.pixels.rgb.shape[:2]
        return _to_bytes(picture, target.bytes_for(width, height), tried)


def _to_bytes(picture: _Picture, limit: int, tried: Callable[[Trial], None]) -> Encoded:
    smallest = picture.smallest()
    if len(smallest.data) > limit:
        raise TargetError(f"target of {limit} bytes is below {len(smallest.data)}, the smallest file of this picture")
    best, worst = picture.range
    height, width = picture.pixels.rgb.shape[:2]
    guess = best + math.log(BITS_AT_BEST * height * width / 8 / limit) / LOG_BYTES_PER_STEP
    least = math.ceil((1 - BYTES_TOLERANCE) * limit)
    search = Search((math.log(least), math.log(limit)), picture.ends, min(guess, worst), LOG_BYTES_PER_STEP)
    trials = [smallest, *_run(search, _Picture.by_bytes, picture, tried)]
    found = max((trial for trial in trials if len(trial.data) <= limit), key=lambda trial: trial.value)
    return picture.encoded(found, len(found.data) >= least)


def _to_psnr(picture: _Picture, wanted: float, tried: Callable[[Trial], None]) -> Encoded:
    best, worst = picture.range
    guess = best + (PSNR_AT_BEST - wanted) / PSNR_PER_STEP
    search = Search((wanted, wanted + PSNR_TOLERANCE), picture.ends, min(guess, worst), PSNR_PER_STEP)
    trials = _run(search, _Picture.by_psnr, picture, tried)
    enough = [trial for trial in trials if trial.value >= wanted]
    within = [trial for trial in enough if trial.value <= wanted + PSNR_TOLERANCE]
    if enough:
        found = min(within or enough, key=lambda trial: len(trial.data))
    else:
        found = max(trials, key=lambda trial: trial.value)
    return picture.encoded(found, wanted <= found.value <= wanted + PSNR_TOLERANCE)


def _run(
    search: Search,
    attempt: Callable[[_Picture, float], Iterator[Trial]],
    picture: _Picture,
    tried: Callable[[Trial], None],
) -> list[Trial]:
    """All trials. Where those with post-filters leap over the window, what goes without is searched as well."""
    trials = search.run(partial(attempt, picture), tried)
    low, high = search.window
    leaps = any(trial.filtered and trial.value > high for trial in trials)
    if leaps and not any(low <= trial.value <= high for trial in trials):
        trials += search.run(partial(attempt, dataclasses.replace(picture, bare=True)), tried)
    return trials
