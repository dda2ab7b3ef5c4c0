"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bitstream import Limits

FILE = click.Path(path_type=Path)
MAX_PIXELS = 1 << 28
"""The default limit of `bitstream`, repeated here because importing that takes longer than printing help."""

model_option = click.option(
    "--model", metavar="NAME|PATH", help="An installed model (see `ddnc models`) or a weights file."
)
device_option = click.option(
    "--device", default="cpu", show_default=True, metavar="D", help="Where the network runs: cpu, cuda, cuda:1, ..."
)
precision_option = click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    show_default=True,
    help="Of the network; auto: bfloat16 where the processor has instructions for it.",
)
threads_option = click.option(
    "--threads", type=click.IntRange(1, 1024), metavar="N", help="Cores to compute on.  [default: those that are free]"
)
quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors.")
max_pixels_option = click.option(
    "--max-pixels", type=click.IntRange(1), default=MAX_PIXELS, show_default=True, metavar="N",
    help="Refuse larger pictures, before memory is taken for them.",
)  # fmt: skip
inline_option = click.option(
    "--inline", is_flag=True, help="Without what both sides know, above all the model: 6 bytes besides the indices."
)
base64_option = click.option(
    "--base64",
    "as_text",
    is_flag=True,
    help="Streams are text in base64; limits of size count its bytes before base64.",
)


def limits_of(max_pixels: int) -> Limits:
    """Limits for pictures of at most `max_pixels`, with as many cells for each pixel as by default."""
    from bitstream import DEFAULT_LIMITS, Limits

    return Limits(max_pixels, max_pixels // (DEFAULT_LIMITS.max_pixels // DEFAULT_LIMITS.max_cells))


def examples(*lines: str) -> str:
    """An epilog that click does not rewrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
