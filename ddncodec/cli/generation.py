"""What the commands that make pictures share: the model, a size, and a PNG at the end."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from PIL import Image

from ddncodec.cli.failures import Failure, as_failures
from ddncodec.cli.options import FILE
from ddncodec.files import write_file

if TYPE_CHECKING:
    from bitstream import Header
    from ddncodec import Codec

MAX_SIDE = 4096


def output_option(name: str) -> Callable[..., Any]:
    return click.option(
        "-o", "--output", "target", type=FILE, default=name, show_default=True, metavar="OUT", help="A PNG file."
    )


quality_option = click.option(
    "-q",
    "--quality",
    type=click.FloatRange(0, 100),
    default=50.0,
    show_default=True,
    help="Quality that the network is conditioned on.",
)
seed_option = click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of random choices.")


given_option = click.option(
    "--given",
    multiple=True,
    metavar="CLASS|PICTURE",
    help="What a conditional model is to know: a number, or a gray picture or its edges. If repeated: a row for each.",
)


def codecs_given(codec: Codec, given: Sequence[str]) -> list[Codec]:
    """The codec under each of the conditions; alone if there is none. Raises DdncError, Failure."""
    return [codec.condition(int(each) if each.isdecimal() else _picture(Path(each))) for each in given] or [codec]


def _picture(path: Path) -> Image.Image:
    with as_failures(path), Image.open(path) as image:
        image.load()
        return image


def parse_size(text: str | None, codec: Codec) -> tuple[int, int]:
    """Width and height of "WxH"; without it, those of a picture given, or one cell of the coarsest level.

    Raises Failure.
    """
    if text is None:
        given, side = codec.engine.condition, codec.info.layout[0].cell
        return (side, side) if given is None or given.dim() == 1 else (given.shape[3], given.shape[2])
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None or not all(1 <= int(side) <= MAX_SIDE for side in match.groups()):
        raise Failure(f"`--size` (={text!r}) must be WxH with sides of 1..{MAX_SIDE} pixels")
    return int(match[1]), int(match[2])


def header_of(codec: Codec, width: int, height: int, quality: float) -> Header:
    """The header of a picture that is not encoded but made."""
    from bitstream import Header

    return Header(codec.info.identity, width, height, coded=True, lambda_step=codec.lambda_step(quality))


def write_png(target: Path, pixels: np.ndarray) -> None:
    """Write (H, W, 3) uint8 through a temporary file; gray if its planes are equal."""
    gray = (pixels == pixels[..., :1]).all()
    data = io.BytesIO()
    Image.fromarray(pixels[..., 0] if gray else pixels).save(data, "PNG", optimize=True)
    write_file(target, data.getvalue())
