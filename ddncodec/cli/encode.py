"""`ddnc encode`."""

from __future__ import annotations

from pathlib import Path

import click

import ddncodec
from ddncodec.cli.failures import as_failures
from ddncodec.cli.options import FILE, device_option, examples, model_option, quiet_option
from ddncodec.cli.picture_files import check_output, read_picture
from ddncodec.files import write_atomically


@click.command(
    epilog=examples(
        "ddnc encode photo.jpg photo.ddn",
        "ddnc encode photo.jpg photo.ddn --quality 80",
        "ddnc encode photo.jpg photo.ddn --coding plain --quiet",
    )
)
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@click.option(
    "-q", "--quality", type=click.FloatRange(0, 100), default=50.0, show_default=True,
    help="From smallest to best.",
)
@click.option(
    "--coding", type=click.Choice(["coded", "plain"]), default="coded", show_default=True,
    help="Range coded, or log2 K bits for every index.",
)
@model_option
@device_option
@quiet_option
def encode(
    source: Path, target: Path, quality: float, coding: str, model: str | None, device: str, quiet: bool
) -> None:
    """Encode pictures to streams.

    IN is of any format that Pillow reads. Prints the size of OUT in bytes and in bits per pixel. Transparent pictures
    are laid over white; metadata is not kept, except that the orientation in EXIF is applied.
    """
    check_output(target)
    with as_failures(source):
        picture = read_picture(source)
    codec = ddncodec.Codec(model or "photo", device)
    with as_failures(source):
        data = codec.encode(picture, quality, coding)
    write_atomically(target, data)
    if not quiet:
        click.echo(f"{target}: {len(data)} bytes, {8 * len(data) / (picture.width * picture.height):.4f} bpp")
