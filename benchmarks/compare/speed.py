"""What coding costs: decoding against the convolutions it contains, encoding against decoding, and other codecs.

The ratios are of processor time at one thread, each pair taken in turn in this process. Seconds and memory of all
codecs are those of processes of their own.
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from PIL import Image

from benchmarks.arguments import model_option
from benchmarks.compare.codecs import Ddnc, ImageCodec
from benchmarks.compare.coding import CodingProcess, Cost
from benchmarks.compare.environment import current_environment
from benchmarks.compare.measure import available
from benchmarks.compare.rivals import Avif, Jpeg, WebP
from benchmarks.datasets import SYNTHETIC, first_picture

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ddncodec import Codec

Clock = Callable[[], float]
"""Seconds since any fixed moment."""
SETTINGS = {"ddnc": 68, "jpeg": 24, "webp": 33, "avif": 46}
"""Settings that give about half a bit per pixel on photographs."""
SIDES = (3, 2)
"""Proportion of the pictures, width to height."""


@dataclass(frozen=True)
class Convolution:
    """A convolution as it ran: its module, and shape and type of its input."""

    module: nn.Conv2d
    shape: torch.Size
    dtype: torch.dtype


@dataclass(frozen=True)
class Ratios:
    """Processor seconds of one picture: medians over rounds."""

    width: int
    height: int
    encode: float
    decode: float
    convolutions: float
    """Those of decoding alone, on inputs of the same shapes and type."""
    writing: float
    """Entropy coding within encoding."""
    reading: float
    """Entropy decoding, checks included, within decoding."""

    def row(self) -> str:
        return (
            f"{self.width * self.height / 1e6:6.2f} {self.decode:9.2f} {self.decode / self.convolutions:15.2f} "
            f"{self.encode:9.2f} {self.encode / self.decode:15.2f} "
            f"{100 * self.reading / self.decode:13.1f} % {100 * self.writing / self.encode:10.1f} %"
        )


RATIOS_HEAD = "     MP  decode s    / convolutions  encode s        / decode  entropy: decode      encode"
AIMS = f"{'aim':>6} {'':9} {'<= 1.8':>15} {'':9} {'<= 2.5':>15} {'< 10 %':>15} {'< 10 %':>12}"
COSTS_HEAD = "codec      MP    bpp  encode s   cpu s    MiB  decode s   cpu s    MiB"


def convolutions_of(codec: Codec, data: bytes) -> list[Convolution]:
    """The convolutions that decoding a stream runs, in order, where the network's own modules compute it."""
    import torch

    from ddncodec.coding import assembly, tiles

    calls: list[Convolution] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, torch.nn.Conv2d)
        precision = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else inputs[0].dtype
        calls.append(Convolution(module, inputs[0].shape, precision))

    modules = [each for each in codec.engine.model.network.modules() if isinstance(each, torch.nn.Conv2d)]
    hooks = [module.register_forward_pre_hook(note) for module in modules]
    try:
        parsed = assembly.parse(codec.engine.model, data, codec.limits)
        tiles.replay(dataclasses.replace(codec.engine, kernels=False), parsed.choice, parsed.header)
    finally:
        for hook in hooks:
            hook.remove()
    return calls


def convolution_seconds(calls: Sequence[Convolution], clock: Clock = time.process_time) -> float:
    """Seconds of the bare convolutions, without making their inputs; convolutions of one shape and type share one."""
    import torch
    import torch.nn.functional as F

    total, generator = 0.0, torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for shape, dtype in dict.fromkeys((call.shape, call.dtype) for call in calls):
            inputs = torch.randn(shape, generator=generator).to(dtype).contiguous(memory_format=torch.channels_last)
            for call in calls:
                if (call.shape, call.dtype) == (shape, dtype):
                    assert call.module.bias is not None
                    weight, bias = call.module.weight.to(dtype), call.module.bias.to(dtype)
                    total += _seconds(clock, lambda: F.conv2d(inputs, weight, bias, padding=call.module.padding))  # noqa: B023
    return total


def ratios(codec: Codec, picture: np.ndarray, rounds: int, clock: Clock = time.process_time) -> Ratios:
    """Time everything `rounds` times in turn, after a first time that does not count.

    Encoding is greedy and tuned for PSNR.
    """
    import bitstream

    data = codec.encode(picture, SETTINGS["ddnc"], effort=1, tune="psnr")
    calls, planes = convolutions_of(codec, data), codec.planes(data)
    header, layout, probabilities = bitstream.read_header(data), codec.info.layout, codec.engine.model.probabilities
    ways: list[Callable[[], float]] = [
        lambda: _seconds(clock, lambda: codec.encode(picture, SETTINGS["ddnc"], effort=1, tune="psnr")),
        lambda: _seconds(clock, lambda: codec.decode(data)),
        lambda: convolution_seconds(calls, clock),
        lambda: _seconds(clock, lambda: bitstream.encode_planes(planes, layout, header, probabilities)),
        lambda: _seconds(clock, lambda: codec.planes(data)),
    ]
    seconds = [[way() for way in ways] for _ in range(rounds)]
    return Ratios(picture.shape[1], picture.shape[0], *map(statistics.median, zip(*seconds)))


def costs(codec: ImageCodec, picture: Image.Image) -> tuple[int, Cost, Cost]:
    """Bytes, and what encoding and decoding took in two new processes."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        path = Path(folder, "coded")
        with CodingProcess(codec) as process:
            encoded = process.encode(picture, SETTINGS[codec.name], path)
        with CodingProcess(codec) as process:
            _, decoded = process.decode(path)
        return path.stat().st_size, encoded, decoded


def filled(picture: np.ndarray, megapixels: float) -> np.ndarray:
    """A picture of about `megapixels`, made of one (H, W, 3) uint8 and its mirror images."""
    unit = (megapixels * 1e6 / (SIDES[0] * SIDES[1])) ** 0.5
    width, height = (max(1, round(side * unit)) for side in SIDES)
    rows, cols = (_mirrored(side, length) for side, length in zip((height, width), picture.shape))
    return picture[rows[:, None], cols]


def _mirrored(count: int, length: int) -> np.ndarray:
    """Positions 0, 1, ... length - 1, length - 1, ... 1, 0, 0, 1, ...; `count` of them."""
    at = np.arange(count) % (2 * length)
    return np.minimum(at, 2 * length - 1 - at)


def _seconds(clock: Clock, work: Callable[[], object]) -> float:
    start = clock()
    work()
    return clock() - start


def _row(codec: ImageCodec, picture: Image.Image) -> str:
    size, *both = costs(codec, picture)
    pixels = picture.width * picture.height
    line = f"{codec.name:6} {pixels / 1e6:6.2f} {8 * size / pixels:6.3f}"
    for cost in both:
        memory = "N/A" if cost.memory is None else f"{cost.memory / 2**20:.0f}"
        line += f" {cost.seconds:9.2f} {cost.cpu:7.2f} {memory:>6}"
    return line


def _sizes(text: str) -> list[float]:
    try:
        sizes = [float(word) for word in text.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"'{text}' must be numbers with commas", param_hint="--megapixels") from error
    if not all(0 < size <= 250 for size in sizes):
        raise click.BadParameter(f"'{text}' must be above 0 and at most 250", param_hint="--megapixels")
    return sizes


def _report(codec: Codec, base: np.ndarray, sizes: Sequence[float], rounds: int, model: str) -> Iterator[str]:
    from ddncodec.coding.effort import DEFAULT_EFFORT

    yield RATIOS_HEAD
    for size in sizes:
        yield ratios(codec, filled(base, size), max(1, round(rounds * min(sizes) / size))).row()
    yield AIMS
    yield ""
    yield COSTS_HEAD
    for each in available([Ddnc(model, DEFAULT_EFFORT), Jpeg(), WebP(), Avif()]):
        for size in sizes:
            yield _row(each, Image.fromarray(filled(base, size)))


@click.command()
@click.option(
    "--images", default=SYNTHETIC, show_default=True, metavar="DIR|synthetic", help="The first picture is repeated."
)
@model_option
@click.option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True)
@click.option("--against", metavar="REF", help="Instead: the time and memory of a commit of this repository, and ours.")
@click.option("--megapixels", default="0.4,2,12", show_default=True, metavar="N,...", help="Sizes of the pictures.")
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(1), help="For the ratios; larger sizes have fewer."
)
def speed(images: str, model: str, precision: str, against: str | None, megapixels: str, rounds: int) -> None:
    """Time decoding against its bare convolutions, encoding against decoding, and both against other codecs.

    --against REF takes that commit out into a temporary folder, and runs it and this checkout in turn: one thread,
    processor time, medians of --rounds, the same streams, REF in float32.
    """
    if against is not None:
        from benchmarks.compare.against import report

        for line in report(against, first_picture(images), model, precision, _sizes(megapixels), rounds):
            click.echo(line)
        return
    import torch

    from ddncodec import Codec

    sizes = _sizes(megapixels)
    torch.set_num_threads(1)
    codec = Codec(model, precision=precision)
    base = first_picture(images)
    environment = current_environment()
    click.echo(f"{environment.machine}, torch {environment.torch}, model {codec.info.name} {codec.info.identity.hex()}")
    click.echo(
        f"ratios: {precision}, one thread, processor time, effort 1; below: each codec's defaults, in its own processes"
    )
    for line in _report(codec, base, sizes, rounds, model):
        click.echo(line)
