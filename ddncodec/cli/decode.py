"""`ddnc decode`."""

from __future__ import annotations

from pathlib import Path

import click

import bitstream
import ddncodec
from ddncodec import registry
from ddncodec.cli.failures import as_failures
from ddncodec.cli.options import FILE, device_option, examples, model_option
from ddncodec.cli.picture_files import check_output, picture_format, write_picture


@click.command(
    epilog=examples(
        "ddnc decode photo.ddn photo.png",
        "ddnc decode photo.ddn preview.png --levels 8",
        "ddnc decode torn.ddn rescued.png --allow-partial",
    )
)
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@click.option("--levels", type=click.IntRange(1), metavar="N", help="Stop after N levels, for a blurrier preview.")
@click.option("--allow-partial", is_flag=True, help="Decode the whole passes of a stream that breaks off.")
@model_option
@device_option
def decode(
    source: Path, target: Path, levels: int | None, allow_partial: bool, model: str | None, device: str
) -> None:
    """Decode streams to pictures.

    The suffix of OUT says its format. The model is found by the id in the stream, unless --model is given. JPEG and
    AVIF are written at quality 95, WebP without loss.
    """
    format_name = picture_format(target)
    check_output(target)
    with as_failures(source):
        data = source.read_bytes()
        header = bitstream.read_header(data)
        chosen = model or registry.find_identity(header.model_id).path
    codec = ddncodec.Codec(chosen, device)
    with as_failures(source):
        picture = codec.decode(data, levels, allow_partial=allow_partial)
    write_picture(picture, target, format_name)
