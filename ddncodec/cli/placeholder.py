"""`ddnc placeholder`."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from ddncodec.batch.jobs import check_distinct, check_output
from ddncodec.batch.outcomes import FileJob
from ddncodec.cli.failures import as_failures
from ddncodec.cli.generation import write_png
from ddncodec.cli.options import FILE, device_option, examples, model_option
from ddncodec.coding.tune import TUNES
from ddncodec.files import read_file


@click.command(
    epilog=examples(
        "ddnc placeholder photo.jpg",
        "ddnc placeholder photo.jpg --bytes 40",
        "ddnc placeholder photo.jpg --json",
        "ddnc placeholder photo.jpg --show compared.png",
    )
)
@click.argument("file", metavar="IN", type=FILE)
@click.option(
    "--bytes",
    "max_bytes",
    type=click.IntRange(6),
    default=28,
    show_default=True,
    metavar="N",
    help="Of the inline stream, at most.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every field.")
@click.option(
    "--show", type=FILE, metavar="PNG", help="Write what each of them shows, enlarged, next to the picture itself."
)
@click.option(
    "--tune", type=click.Choice(TUNES), default="psnr", show_default=True, help="As in `ddnc encode`; PSNR is compared."
)
@model_option
@device_option
def placeholder(
    file: Path, max_bytes: int, as_json: bool, show: Path | None, tune: str, model: str | None, device: str
) -> None:
    """Make a picture of a few dozen bytes.

    Prints an inline stream of the shrunk picture in base64, and a `data:` URL of what it shows, as WebP or PNG; and,
    where their libraries are installed (`pip install ddncodec[placeholder]`), BlurHash and ThumbHash of the same
    picture. Sizes are bytes of the data and characters of the text. PSNR is that of each, enlarged, against the
    picture at a longer side of 64 pixels.
    """
    if show is not None:
        check_output(show)
        check_distinct([FileJob(file, show)])

    from ddncodec.batch.encoding import DEFAULT_MODEL
    from ddncodec.cli.hashes import SIDE, hashes
    from ddncodec.cli.side_by_side import side_by_side
    from ddncodec.codec import Codec
    from ddncodec.images.files import Reading, read_picture
    from ddncodec.placeholder import REFERENCE, data_url, make_placeholder, reduced, resized_psnr

    codec = Codec(model or DEFAULT_MODEL, device)
    with as_failures(file):
        picture = read_picture(read_file(file), Reading(codec.limits, first_frame=True))
        made = make_placeholder(codec, picture, max_bytes, tune=tune)
    reference, others = reduced(picture, REFERENCE), hashes(reduced(picture, SIDE))
    rows = [_row("ddnc", len(made.data), made.text, made.psnr)]
    rows += [_row(h.name, h.size, h.text, resized_psnr(h.image, reference)) for h in others]
    if show is not None:
        labels = ("the picture", *(f"{row['kind']}, {row['bytes']} bytes, {row['psnr']:.2f} dB" for row in rows))
        images = (reference, made.image, *(h.image for h in others))
        write_png(show, np.asarray(side_by_side(list(zip(labels, images)))))
    url = data_url(made.image)
    url_bytes = len(base64.b64decode(url.partition(",")[2]))
    if as_json:
        size = {"width": made.image.width, "height": made.image.height, "model": codec.info.identity.hex()}
        facts = {"file": str(file), **rows[0], **size, "url": url, "url_bytes": url_bytes, "hashes": rows[1:]}
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo("           bytes  characters   PSNR")
    for row in rows:
        click.echo(f"{row['kind']:9} {row['bytes']:6} {row['characters']:11} {row['psnr']:6.2f}  {row['text']}")
    click.echo(f"url       {url_bytes:6} {len(url):11}         {url}")


def _row(kind: str, size: int, text: str, quality: float) -> dict[str, Any]:
    return {"kind": kind, "bytes": size, "characters": len(text), "psnr": round(quality, 2), "text": text}
