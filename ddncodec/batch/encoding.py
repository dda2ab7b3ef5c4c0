"""Encodes groups of picture files, in whatever process."""

from __future__ import annotations

import base64
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bitstream import DEFAULT_LIMITS, Limits
from ddncodec.batch.outcomes import FileJob, Outcome, Product, failing_alone
from ddncodec.coding.effort import DEFAULT_EFFORT
from ddncodec.coding.tune import DEFAULT_TUNE
from ddncodec.files import read_file
from ddncodec.images.files import Reading, picture_size, read_picture
from ddncodec.metrics import psnr

if TYPE_CHECKING:
    from ddncodec.codec import Codec
    from ddncodec.coding.price_search import Trial
    from ddncodec.images.pixels import Pixels

DEFAULT_MODEL = "photo"
CPU_BATCH, GPU_BATCH = 1 << 17, 1 << 22
"""Pixels of equally large pictures that are coded together; on a processor, larger batches are no faster."""


def ignore_trial(trial: Trial) -> None:
    """Show nothing of it."""


@dataclasses.dataclass(frozen=True)
class EncodeOptions:
    """How pictures become streams; fields not named here are those of `Codec.encode`.

    `target` is a field of `targets.Target` and its value, or empty for `quality`. `first_frame`: of animated
    pictures the first frame is taken, which are refused otherwise. `inline`, `as_text`: the form of the streams
    (FORMAT.md, section 4.2), base64. `measure`: each stream is decoded for its PSNR. `on_trial` is called with each
    encoding on the way to a target; only for work in this process.
    """

    model: str = DEFAULT_MODEL
    device: str = "cpu"
    limits: Limits = DEFAULT_LIMITS
    quality: float = 50.0
    coding: str = "coded"
    effort: int = DEFAULT_EFFORT
    tune: str | None = None
    metadata: tuple[str, ...] = ()
    background: str | None = None
    target: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    first_frame: bool = False
    inline: bool = False
    as_text: bool = False
    precision: str = "auto"
    threads: int | None = None
    measure: bool = False
    on_trial: Callable[[Trial], None] = ignore_trial

    @property
    def codec(self) -> Codec:
        """The codec of this process, loaded once. Raises ModelError, ArgumentError."""
        from ddncodec.codec import shared_codec

        return shared_codec(self.model, self.device, self.limits, self.precision, self.threads)


@dataclasses.dataclass(frozen=True)
class _Source:
    """A picture that was read from a file of `size` bytes."""

    job: FileJob
    pixels: Pixels
    size: int


def encode_group(jobs: Sequence[FileJob], options: EncodeOptions) -> list[Outcome]:
    """Read and encode the pictures of a group, equally large ones together; returns an outcome for each job."""
    outcomes: dict[FileJob, Outcome] = {}
    sources = []
    reading = Reading(options.limits, options.first_frame, options.background)
    for job in jobs:
        with failing_alone(job, outcomes):
            data = read_file(job.source)
            sources.append(_Source(job, read_picture(data, reading), len(data)))
    began = time.monotonic()
    streams: dict[FileJob, bytes] = {}
    if len(sources) > 1 and not options.target:
        with suppress(Exception):  # which the picture that it comes from raises once more, alone
            streams = dict(zip((source.job for source in sources), _encode(sources, options), strict=True))
    share = (time.monotonic() - began) / max(1, len(streams))
    for source in sources:
        began = time.monotonic()
        with failing_alone(source.job, outcomes):
            if options.target:
                outcomes[source.job] = _encode_to_target(source, options)
            else:
                stream = streams.get(source.job) or _encode([source], options)[0]
                outcomes[source.job] = _outcome(source, stream, options)
            seconds = time.monotonic() - began + (share if source.job in streams else 0)
            outcomes[source.job] = _timed(outcomes[source.job], seconds)
    return [outcomes[job] for job in jobs]


def _timed(outcome: Outcome, seconds: float) -> Outcome:
    product = outcome.product
    return outcome if product is None else replace(outcome, product=replace(product, seconds=seconds))


def groups(jobs: Sequence[FileJob], options: EncodeOptions) -> Iterator[list[FileJob]]:
    """Neighbouring jobs that share a batch: pictures equally large by their headers, one by one with a target."""
    if options.target or len(jobs) == 1:
        yield from ([job] for job in jobs)
        return
    most = CPU_BATCH if options.device == "cpu" else GPU_BATCH
    group: list[FileJob] = []
    group_size: tuple[int, int] | None = None
    for job in jobs:
        size = picture_size(job.source)
        if group and (size is None or size != group_size or (len(group) + 1) * size[0] * size[1] > most):
            yield group
            group = []
        group.append(job)
        group_size = size
    if group:
        yield group


def _encode(sources: Sequence[_Source], options: EncodeOptions) -> list[bytes]:
    pictures = [source.pixels for source in sources]
    return options.codec.encode_batch(
        pictures, options.quality, options.coding, metadata=options.metadata, effort=options.effort,
        tune=options.tune or DEFAULT_TUNE,
    )  # fmt: skip


def _encode_to_target(source: _Source, options: EncodeOptions) -> Outcome:
    from ddncodec.targets import Target, encode_to

    target = Target(**options.target)
    encoded = encode_to(
        options.codec, source.pixels, target, options.coding, metadata=options.metadata, effort=options.effort,
        tune=options.tune, tried=options.on_trial,
    )  # fmt: skip
    size, reached, error = len(encoded.data), encoded.psnr, None
    notices: tuple[str, ...] = ()
    if not encoded.reached:
        if target.psnr is None or reached is None:
            notices = (f"{size} bytes are as near as the model comes",)
        elif reached > target.psnr:
            notices = (f"{reached:.2f} dB is as near as the model comes",)
        else:
            error = f"{source.job.source}: {target.psnr:g} dB is out of reach, the best is {reached:.2f} dB"
    return _outcome(source, encoded.data, options, notices, error)


def _outcome(
    source: _Source, stream: bytes, options: EncodeOptions, notices: tuple[str, ...] = (), error: str | None = None
) -> Outcome:
    """With the stream in the form that is asked for."""
    rgb = source.pixels.rgb
    decibels = _psnr(rgb, stream, options) if options.measure else None
    if options.inline:
        from ddncodec.placeholder import to_inline

        stream = to_inline(options.codec, stream)
    data = base64.b64encode(stream) if options.as_text else stream
    height, width = rgb.shape[:2]
    unkept = (text for kind, text in source.pixels.unkept if kind in options.metadata)
    notices = (*source.pixels.notices, *unkept, *notices)
    return Outcome(source.job, Product(data, width, height, source.size, notices, psnr=decibels), error)


def _psnr(rgb: np.ndarray, stream: bytes, options: EncodeOptions) -> float:
    """That of all colour samples, as far as they are shown: transparent ones count too."""
    decoded = options.codec.decode_array(stream)
    if decoded.ndim == 2 or decoded.shape[2] == 2:
        decoded = np.repeat(decoded.reshape(*rgb.shape[:2], -1)[:, :, :1], 3, axis=2)
    return psnr(rgb, decoded[:, :, :3])
