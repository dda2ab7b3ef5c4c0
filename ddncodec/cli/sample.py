"""`ddnc sample`."""

from __future__ import annotations

from pathlib import Path

import click

from ddncodec.batch.jobs import check_output
from ddncodec.cli.generation import (
    codecs_given,
    given_option,
    header_of,
    output_option,
    parse_size,
    quality_option,
    seed_option,
    write_png,
)
from ddncodec.cli.options import device_option, examples, model_option, quiet_option


@click.command(
    epilog=examples(
        "ddnc sample --model mnist --count 64 --seed 1 -o digits.png",
        "ddnc sample --model mnist --draw uniform",
        "ddnc sample --model mnist-class --given 3 --given 8 --count 10",
        "ddnc sample --model photo --size 256x192 --count 4",
    )
)
@model_option
@given_option
@click.option("--count", type=click.IntRange(1, 4096), default=16, show_default=True, help="How many pictures.")
@click.option(
    "--draw",
    type=click.Choice(["tables", "uniform"]),
    default="tables",
    show_default=True,
    help="Indices as the model's tables expect them, so that a sample is what random bits decode to; or all K of every "
    "cell with equal chance, as in the paper.",
)
@click.option("--size", metavar="WxH", help="Of each picture in pixels.  [default: one cell of the first level]")
@seed_option
@quality_option
@output_option("sample.png")
@device_option
@quiet_option
def sample(
    model: str | None,
    given: tuple[str, ...],
    count: int,
    draw: str,
    size: str | None,
    seed: int,
    quality: float,
    target: Path,
    device: str,
    quiet: bool,
) -> None:
    """Draw pictures at random.

    Every index of every level is drawn, none chosen. OUT shows the pictures in rows.
    """
    check_output(target)

    import numpy as np

    from ddncodec import Codec
    from ddncodec.generation.sampling import draw_planes, sheet

    codecs = codecs_given(Codec(model or "photo", device), given)
    header, random = header_of(codecs[0], *parse_size(size, codecs[0]), quality), np.random.default_rng(seed)
    pictures = []
    for codec in codecs:
        for _ in range(count):
            planes = draw_planes(codec.info.layout, codec.engine.model.probabilities, header, random, draw)
            pictures.append(codec.engine.replay([planes], [header])[0])
    write_png(target, sheet(pictures, count if len(given) > 1 else None))
    if not quiet:
        click.echo(f"{target}: {len(pictures)} pictures of {header.width} x {header.height}")
