"""The codec: pictures to bytes and back, with one model loaded once."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Literal, TypeAlias, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bitstream import DEFAULT_LIMITS, CodecError, Header, Limits, Planes
from ddncodec.coding import assembly, chunks, tiles
from ddncodec.coding.ambient import settings_of_our_own, within_computing
from ddncodec.coding.arguments import check_data, check_threads, on_host, to_device, to_region
from ddncodec.coding.batching import batches, check_on_error, failing
from ddncodec.coding.condition import Condition
from ddncodec.coding.effort import DEFAULT_EFFORT, effort_of
from ddncodec.coding.engine import Engine
from ddncodec.coding.precision import AUTO, check_precision, precision_of
from ddncodec.coding.rate import step_of_quality
from ddncodec.coding.threads import computing
from ddncodec.coding.tiling import DEFAULT_TILING, Tiling
from ddncodec.coding.tune import DEFAULT_TUNE, weights_of
from ddncodec.images.pixels import Picture, Pixels, pixels_of, to_array, to_image
from ddncodec.zoo import registry
from ddncodec.zoo.loading import load_model
from ddncodec.zoo.weights_file import ModelInfo

DEFAULT_QUALITY = 50.0
Input: TypeAlias = Picture | Tensor


class Codec:
    """Encoder and decoder around one model.

    Safe to share between threads: nothing changes after construction. A pickled codec holds the path of its model, not
    the weights, and the process that unpickles it loads them when it first codes.

    model: name of an installed model or path of a weights file.
    device: "cpu", "cuda", "cuda:1", ...
    precision: of the convolutions, "float32", "bfloat16", or "auto" for bfloat16 where the processor has instructions
    for it; each decodes what the other encoded.
    limits: bounds on what a stream may ask for when it is decoded.
    tiling: how large pictures are cut, which bounds the memory.
    threads: cores to compute on; None: those that are free (see `ddncodec.coding.threads`).

    Raises: ModelError, ArgumentError.

    >>> codec = Codec("photo")
    >>> data = codec.encode(np.full((40, 60, 3), 128, np.uint8), quality=30)
    >>> codec.decode(data).size
    (60, 40)
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "photo",
        device: str = "cpu",
        precision: str = AUTO,
        limits: Limits = DEFAULT_LIMITS,
        *,
        tiling: Tiling = DEFAULT_TILING,
        threads: int | None = None,
    ) -> None:
        check_precision(precision)
        check_threads(threads)
        self.device = to_device(device)
        self.precision = precision
        self.limits = limits
        self.tiling = tiling
        self.threads = threads
        self.info = registry.find(model)
        self._condition: Condition | None = None
        self._lock = threading.Lock()
        self._loaded: Engine | None = self._load()  # now, so that a damaged file fails here

    def __repr__(self) -> str:
        return f"Codec(model={self.info.name!r}, device={str(self.device)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_lock", "_loaded")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock(), _loaded=None)

    @within_computing
    def condition(self, condition: Condition) -> Codec:
        """A codec for pictures of a class, or with this gray picture or these edges; only for conditional models.

        What it encodes can be decoded under the same condition only. Raises ArgumentError, ImageError.
        """
        other = copy.copy(self)
        other._condition, other._loaded = condition, self.engine.with_condition(condition)
        return other

    @property
    def engine(self) -> Engine:
        """Network, probabilities and device, for those who choose indices in other ways. Raises ModelError."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Where threads and torch are set as this codec wants them: for its methods, and for users of its `engine`."""
        with computing(self.threads), settings_of_our_own():
            yield

    @within_computing
    def _load(self) -> Engine:
        registry.check(self.info)
        model, precision = load_model(self.info, self.device), precision_of(self.precision, self.device)
        tiling = self.tiling.aligned(model.network.config.alignment)
        engine = Engine(model, self.device, precision, tiling=tiling)
        return engine if self._condition is None else engine.with_condition(self._condition)

    def lambda_step(self, quality: float) -> int:
        """The lambda step of a quality from 0 (smallest files) to 100; even steps of log lambda."""
        config = self.engine.model.network.config
        return step_of_quality(quality, config.smallest_lambda, config.largest_lambda)

    def encode(
        self,
        image: Input,
        quality: float = DEFAULT_QUALITY,
        coding: str = "coded",
        *,
        metadata: Collection[str] = (),
        background: str | None = None,
        effort: int = DEFAULT_EFFORT,
        tune: str = DEFAULT_TUNE,
    ) -> bytes:
        """Encode one picture: a PIL image, a uint8 array (H, W), (H, W, 3) or (H, W, 4), or a tensor (3, H, W).

        quality: 0..100, smallest to best. coding: "coded" (range coded) or "plain" (log2 K bits an index).
        metadata: what to keep of "icc", "exif" and "xmp". background: a colour to lay transparent pictures over;
        without one, alpha is kept without loss. Colour profiles are converted to sRGB. effort: 1 (greedy) to 9,
        what the encoder spends on finding better indices. tune: "visual" weights errors as the eye sees them, "psnr"
        counts all alike.

        Raises: ArgumentError, ImageError.
        """
        return self.encode_batch(
            [image], quality, coding, metadata=metadata, background=background, effort=effort, tune=tune
        )[0]

    @overload
    def encode_batch(
        self, images: Sequence[Input], quality: float = ..., coding: str = ..., *, metadata: Collection[str] = ...,
        background: str | None = ..., effort: int = ..., tune: str = ..., on_error: Literal["raise"] = ...,
    ) -> list[bytes]: ...  # fmt: skip

    @overload
    def encode_batch(
        self, images: Sequence[Input], quality: float = ..., coding: str = ..., *, metadata: Collection[str] = ...,
        background: str | None = ..., effort: int = ..., tune: str = ..., on_error: Literal["return"],
    ) -> list[bytes | CodecError]: ...  # fmt: skip

    @within_computing
    def encode_batch(
        self, images: Sequence[Input], quality: float = DEFAULT_QUALITY, coding: str = "coded", *,
        metadata: Collection[str] = (), background: str | None = None, effort: int = DEFAULT_EFFORT,
        tune: str = DEFAULT_TUNE, on_error: str = "raise",
    ) -> list[bytes] | list[bytes | CodecError]:  # fmt: skip
        """Encode many pictures, equally large ones together; arguments as for `encode`.

        on_error: "raise" the first error of a picture, naming its place, or "return" errors in place of streams.
        """
        check_on_error(on_error, images)
        chunks.check_kinds(metadata)
        spent, weights = effort_of(effort), weights_of(tune)
        model, step = self.engine.model, self.lambda_step(quality)
        assembly.check_coding(coding)
        pixels: dict[int, Pixels] = {}
        headers: dict[int, Header] = {}
        out: dict[int, Any] = {}
        for i, image in enumerate(images):
            with failing(i, len(images), on_error, out):
                pixels[i] = pixels_of(on_host(image), background)
                headers[i] = assembly.make_header(model, pixels[i], coding, step)
        for group in batches(headers):
            pictures, same = [pixels[i].rgb for i in group], [headers[i] for i in group]
            choices = tiles.choose_batch(self.engine, pictures, same, spent, weights)
            for i, each in zip(group, choices):
                with failing(i, len(images), on_error, out):
                    out[i] = assembly.assemble(model, each, headers[i], pixels[i], metadata)
        return [out[i] for i in range(len(images))]

    def decode(
        self,
        data: bytes,
        levels: int | None = None,
        *,
        region: tuple[int, int, int, int] | None = None,
        allow_partial: bool = False,
    ) -> Image.Image:
        """Decode a stream to a PIL image, mode RGB, L, RGBA or LA; `info` holds metadata as `to_image` says.

        levels: stop after this many levels, for a preview. region: x, y, width and height in pixels of the part to
        decode, which costs less than the whole. allow_partial: decode the whole passes of a torn stream.

        Raises: bitstream.BitstreamError for anything wrong with the data, ArgumentError.
        """
        return to_image(self._decode(data, levels, region, allow_partial))

    def decode_array(
        self, data: bytes, levels: int | None = None, *, region: tuple[int, int, int, int] | None = None
    ) -> np.ndarray:
        """Decode a stream to uint8: (H, W, 3), (H, W) where gray; with alpha (H, W, 4) or (H, W, 2). As `decode`."""
        return to_array(self._decode(data, levels, region, False))

    def decode_tensor(
        self, data: bytes, levels: int | None = None, *, region: tuple[int, int, int, int] | None = None
    ) -> Tensor:
        """Decode a stream to a uint8 tensor on the CPU, (C, H, W) with C = 1 to 4. As `decode_array`."""
        array = self.decode_array(data, levels, region=region)
        return torch.from_numpy(np.ascontiguousarray(np.atleast_3d(array).transpose(2, 0, 1)))

    @overload
    def decode_batch(
        self, datas: Sequence[bytes], levels: int | None = ..., *, on_error: Literal["raise"] = ...
    ) -> list[Image.Image]: ...

    @overload
    def decode_batch(
        self, datas: Sequence[bytes], levels: int | None = ..., *, on_error: Literal["return"]
    ) -> list[Image.Image | CodecError]: ...

    @within_computing
    def decode_batch(
        self, datas: Sequence[bytes], levels: int | None = None, *, on_error: str = "raise"
    ) -> list[Image.Image] | list[Image.Image | CodecError]:
        """Decode many streams; equally large ones with as many levels together. on_error: as for `encode_batch`."""
        check_on_error(on_error, datas)
        parsed: dict[int, assembly.Parsed] = {}
        out: dict[int, Any] = {}
        for i, data in enumerate(datas):
            with failing(i, len(datas), on_error, out):
                parsed[i] = self._parse(data, levels)
        headers = {i: each.header for i, each in parsed.items()}
        for group in batches(headers, {i: len(each.planes) for i, each in parsed.items()}):
            choices, same = [parsed[i].choice for i in group], [headers[i] for i in group]
            pictures = tiles.replay_batch(self.engine, choices, same)
            out.update((i, to_image(parsed[i].pixels(each))) for i, each in zip(group, pictures))
        return [out[i] for i in range(len(datas))]

    def decode_progressive(self, data: bytes) -> Iterator[Image.Image]:
        """Decode a stream, yielding the full-size picture after each level. Raises as `decode`.

        A torn stream yields the pictures of its whole passes. Pictures larger than a tile take one decoding a level.
        """
        parsed = self._parse(data, None, allow_partial=True)
        pictures = tiles.replay_progressively(self.engine, parsed.choice, parsed.header)
        while (rgb := self._next(pictures)) is not None:
            yield to_image(parsed.pixels(rgb))

    @within_computing
    def _next(self, pictures: Iterator[np.ndarray]) -> np.ndarray | None:
        return next(pictures, None)

    @within_computing
    def planes(self, data: bytes) -> Planes:
        """The index planes in a stream, one (rows, cols) int32 array a level. Raises as `decode`."""
        return self._parse(data, None).planes

    @within_computing
    def _parse(self, data: bytes, levels: int | None, allow_partial: bool = False) -> assembly.Parsed:
        return assembly.parse(self.engine.model, check_data(data), self.limits, levels, allow_partial=allow_partial)

    @within_computing
    def _decode(
        self, data: bytes, levels: int | None, region: tuple[int, int, int, int] | None, allow_partial: bool
    ) -> Pixels:
        part = None if region is None else to_region(region)
        parsed = self._parse(data, levels, allow_partial)
        choice, header = parsed.choice, parsed.header
        if part is None:
            return parsed.pixels(tiles.replay(self.engine, choice, header))
        part.check(header.width, header.height)
        return parsed.pixels(tiles.replay_region(self.engine, choice, header, part), part)


def shared_codec(
    model: str, device: str = "cpu", limits: Limits = DEFAULT_LIMITS, precision: str = AUTO, threads: int | None = None
) -> Codec:
    """A codec of this process, loaded once for all who ask for the same file. Raises as `Codec`."""
    return _shared_codec(registry.find(model), device, limits, precision, threads)


@lru_cache(maxsize=4)
def _shared_codec(info: ModelInfo, device: str, limits: Limits, precision: str, threads: int | None) -> Codec:
    return Codec(info.path, device, precision, limits, threads=threads)
