"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path)
MAX_PIXELS = 1 << 28
"""The default limit of `bitstream`, said again here because importing it takes longer than printing help."""

model_option = click.option(
    "--model", metavar="NAME|PATH", help="An installed model (see `ddnc models`) or a weights file."
)
device_option = click.option(
    "--device", default="cpu", show_default=True, metavar="D", help="Where the network runs: cpu, cuda, cuda:1, ..."
)
quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors.")
max_pixels_option = click.option(
    "--max-pixels", type=click.IntRange(1), default=MAX_PIXELS, show_default=True, metavar="N",
    help="Refuse larger pictures, before memory is taken for them.",
)  # fmt: skip


def examples(*lines: str) -> str:
    """An epilog that click does not rewrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
