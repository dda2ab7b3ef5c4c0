"""`ddnc tree`."""

from __future__ import annotations

from pathlib import Path

import click

from ddncodec.batch.jobs import check_output
from ddncodec.cli.generation import output_option, quality_option, write_png
from ddncodec.cli.options import device_option, examples, model_option, quiet_option


@click.command(epilog=examples("ddnc tree --model mnist-tree", "ddnc tree --model mnist --levels 2 -o tree.png"))
@model_option
@click.option("--levels", type=click.IntRange(1), default=3, show_default=True, metavar="L", help="Depth, at most 4.")
@quality_option
@output_option("tree.png")
@device_option
@quiet_option
def tree(model: str | None, levels: int, quality: float, target: Path, device: str, quiet: bool) -> None:
    """Draw the tree of all pictures of a small model.

    OUT is a square of nine fields: in the middle a node's picture, around it its 8 children, row by row in the order of
    their indices, each such a square itself. Of levels with more than 8 outputs, the 8 most probable are shown. Index 0
    keeps the picture as its level predicts it.
    """
    check_output(target)

    from ddncodec import Codec
    from ddncodec.generation.tree import draw_tree

    codec = Codec(model or "photo", device)
    picture = draw_tree(codec.engine, codec.info.layout[0].cell, levels, codec.lambda_step(quality))
    write_png(target, picture)
    if not quiet:
        click.echo(f"{target}: {levels} levels, {picture.shape[1]} x {picture.shape[0]}")
