"""`ddnc guide`."""

from __future__ import annotations

from pathlib import Path

import click
from PIL import Image

from ddncodec.batch.jobs import check_distinct, check_output
from ddncodec.batch.outcomes import FileJob
from ddncodec.cli.failures import as_failures
from ddncodec.cli.generation import (
    codecs_given,
    given_option,
    header_of,
    output_option,
    quality_option,
    seed_option,
    write_png,
)
from ddncodec.cli.options import FILE, device_option, examples, model_option, quiet_option


@click.command(
    epilog=examples(
        "ddnc guide --model face64 --task super-resolution --input small.png -o large.png",
        "ddnc guide --model face64 --task colorize --input gray.png -o colour.png",
        "ddnc guide --model mnist-class --given 7 --task inpaint --input torn.png -o seven.png",
        "ddnc guide --model mnist --task inpaint --input torn.png --pool 16 --seed 3 -o whole.png",
    )
)
@model_option
@click.option(
    "--task",
    required=True,
    type=click.Choice(["super-resolution", "colorize", "inpaint", "edges"]),
    help="What the input is: a reduced picture, a gray one, one that is transparent where it is unknown, or its edges "
    "(Sobel, bright on dark).",
)
@click.option("--input", "source", required=True, type=FILE, metavar="COND", help="The picture that is given.")
@given_option
@click.option("--factor", type=click.IntRange(2, 16), default=4, show_default=True, help="Of super-resolution.")
@click.option(
    "--pool",
    type=click.IntRange(2),
    metavar="N",
    help="Choose among N random candidates of each level, for another picture with every seed.  [default: all]",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of times to go over the last levels; for models with one cell a picture.",
)
@seed_option
@quality_option
@output_option("guided.png")
@device_option
@quiet_option
def guide(
    model: str | None,
    task: str,
    source: Path,
    given: tuple[str, ...],
    factor: int,
    pool: int | None,
    rounds: int,
    seed: int,
    quality: float,
    target: Path,
    device: str,
    quiet: bool,
) -> None:
    """Make a picture that fits a given one.

    At every level the candidate that fits best is chosen, without gradients and without training for the task. Works
    for any model; what it was trained on is what it can imagine.
    """
    check_output(target)
    check_distinct([FileJob(source, target)])

    import numpy as np

    from ddncodec import Codec
    from ddncodec.generation.guidance import Guide, guided_planes
    from ddncodec.generation.sampling import sheet
    from ddncodec.generation.tasks import TASKS

    with as_failures(source), Image.open(source) as image:
        condition = TASKS[task](image, factor)
    codecs = codecs_given(Codec(model or "photo", device), given)
    header = header_of(codecs[0], condition.width, condition.height, quality)
    wish, pictures = Guide((condition.scorer,), pool=pool, rounds=rounds), []
    for codec in codecs:
        planes = guided_planes(codec.engine, wish, header, np.random.default_rng(seed))
        pictures.append(codec.engine.replay([planes], [header])[0])
    write_png(target, sheet(pictures))
    if not quiet:
        found = ", ".join(f"{condition.error(pixels):.4f}" for pixels in pictures)
        click.echo(f"{target}: {header.width} x {header.height}, off the condition by {found} (RMS, of 1)")
