"""`ddnc decode`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from ddncodec.cli.batch.inline import Form, base64_option, inline_option
from ddncodec.cli.batch.jobs import STANDARD, plan
from ddncodec.cli.batch.options import Batch, batch_options
from ddncodec.cli.batch.reporting import Style, report
from ddncodec.cli.batch.run import Product, run, singly
from ddncodec.cli.options import FILE, device_option, examples, max_pixels_option, model_option


class RegionWords(click.ParamType):
    """Four integers with commas between them."""

    name = "region"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int, int, int]:
        try:
            x, y, width, height = (int(word) for word in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} must be four integers X,Y,W,H", param, ctx)
        return x, y, width, height


@click.command(
    epilog=examples(
        "ddnc decode photo.ddn photo.png",
        "ddnc decode photo.ddn preview.png --levels 8",
        "ddnc decode photo.ddn part.png --region 100,50,320,240",
        "ddnc decode -r streams/ -o photos/ --format webp -j 4",
        "ddnc decode photo.ddn --progressive levels/",
        "ddnc decode photo.ddn --preview photo.webp",
        "ddnc decode torn.ddn rescued.png --allow-partial",
        "ddnc decode - - < photo.ddn > photo.png",
    )
)
@batch_options
@click.option("--format", "suffix", metavar="NAME", help="png, jpg, webp, ...  [default: as the suffix of OUT, or png]")
@click.option("--levels", type=click.IntRange(1), metavar="N", help="Stop after N levels, for a blurrier preview.")
@click.option("--region", type=RegionWords(), metavar="X,Y,W,H", help="Decode this part only, in pixels.")
@click.option("--progressive", type=FILE, metavar="DIR", help="Write a picture for each level.")
@click.option("--preview", type=FILE, metavar="FILE", help="Write an animation of the levels, .gif or .webp.")
@click.option("--background", metavar="COLOR", help="Lay transparent pictures over it.  [default: keep alpha]")
@click.option("--restore-icc", is_flag=True, help="Convert to the colour profile that `encode --metadata icc` kept.")
@click.option("--allow-partial", is_flag=True, help="Decode the whole passes of a stream that breaks off.")
@inline_option
@base64_option
@max_pixels_option
@model_option
@device_option
@click.pass_context
def decode(
    ctx: click.Context,
    batch: Batch,
    suffix: str | None,
    levels: int | None,
    region: tuple[int, int, int, int] | None,
    progressive: Path | None,
    preview: Path | None,
    background: str | None,
    restore_icc: bool,
    allow_partial: bool,
    inline: bool,
    as_text: bool,
    max_pixels: int,
    model: str | None,
    device: str,
) -> None:
    """Decode streams to pictures.

    OUT is a file, whose suffix says its format; or a folder. `-` is standard input or output. The model is found by
    the id in the stream, unless --model is given. JPEG and AVIF are written at quality 95, WebP without loss. Metadata
    that the stream kept is embedded where the format has a place for it. --progressive and --preview take one IN and
    no OUT.

    --resume skips pictures that are there, whatever options made them.
    """
    from ddncodec.cli.batch.coding import Decoding, Machine, limits_of
    from ddncodec.cli.batch.previews import Views, show
    from ddncodec.images.files import Writing, picture_format
    from ddncodec.images.pixels import check_color
    from ddncodec.zoo import registry

    if background is not None:
        check_color(background)
    if model is not None:
        registry.find(model)
    machine = Machine(model, device, limits_of(max_pixels))
    form = Form(inline, as_text)
    style = Style(batch.quiet, batch.as_json, _line)
    if progressive or preview:
        views = Views(progressive, preview, f".{suffix.lstrip('.') if suffix else 'png'}")
        source = views.check(batch.words)
        writing = Writing(picture_format(views.suffix, views.target), restore_icc, background)
        outcomes = show(Decoding(machine, writing, levels, region, allow_partial, form), source, views, batch.policy)
        ctx.exit(report(outcomes, 1, style))
    output = batch.words.output or batch.words.files[-1]
    extension = f".{suffix.lstrip('.')}" if suffix else _suffix(batch, output)
    writing = Writing(picture_format(extension, output), restore_icc, background)
    jobs = plan(batch.words, extension, {".ddn"})
    work = Decoding(machine, writing, levels, region, allow_partial, form)
    outcomes = run(jobs, singly, work, batch.policy, dataclasses.replace(batch.workers, device=device))
    ctx.exit(report(outcomes, len(jobs), style))


def _suffix(batch: Batch, output: Path) -> str:
    """What the name of the output says of its format; PNG for folders and standard output."""
    many = batch.words.recursive or len(batch.words.files) > (1 if batch.words.output else 2)
    return ".png" if output == STANDARD or many or output.is_dir() else output.suffix


def _line(product: Product) -> str:
    return f"{len(product.data)} bytes, {product.width} x {product.height}"
