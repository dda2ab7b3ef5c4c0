"""`ddnc decode`."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import click

from ddncodec.batch.outcomes import Product
from ddncodec.cli.batch.options import BatchArguments, InputsAndOutput, batch_options
from ddncodec.cli.batch.reporting import Style, report, report_plan, share
from ddncodec.cli.options import (
    FILE,
    base64_option,
    device_option,
    examples,
    inline_option,
    limits_of,
    max_pixels_option,
    model_option,
    precision_option,
    threads_option,
)
from ddncodec.files import STANDARD


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
@click.option("--max-side", type=click.IntRange(1), metavar="N", help="Reduce pictures to sides of at most N pixels.")
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
@precision_option
@threads_option
@click.pass_context
def decode(
    ctx: click.Context,
    batch: BatchArguments,
    suffix: str | None,
    levels: int | None,
    region: tuple[int, int, int, int] | None,
    max_side: int | None,
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
    precision: str,
    threads: int | None,
) -> None:
    """Decode streams to pictures.

    OUT is a file, whose suffix says its format; or a folder; or left out: photo.ddn becomes photo.png. `-` is
    standard input or output. The model is found by the id in the stream, unless --model is given. JPEG and AVIF are
    written at quality 95, WebP without loss. Metadata that the stream kept is embedded where the format has a place
    for it. --progressive and --preview take one IN and no OUT.

    --resume skips pictures that are there, whatever options made them.
    """
    from ddncodec.batch.decoding import DecodeOptions, decode_group
    from ddncodec.batch.existing import Policy, settle
    from ddncodec.batch.run import run
    from ddncodec.cli.batch.previews import Views, show
    from ddncodec.images.files import Writing, picture_format
    from ddncodec.images.pixels import check_color
    from ddncodec.zoo import registry

    if background is not None:
        check_color(background)
    if model is not None:
        registry.find(model)
    suffix = f".{suffix.lstrip('.')}" if suffix else None
    views = Views(progressive, preview, suffix or ".png") if progressive or preview else None
    if views is not None:
        source, output = views.check(batch.words), views.target
        suffix = views.suffix
    else:
        words = batch.words.resolve(suffix or ".png")
        output = words.output
        suffix = suffix or (".png" if _is_many(words, batch.words.recursive) else output.suffix)
    options = DecodeOptions(
        writing=Writing(picture_format(suffix, output), restore_icc, background),
        model=model,
        device=device,
        precision=precision,
        threads=threads,
        limits=limits_of(max_pixels),
        levels=levels,
        region=region,
        allow_partial=allow_partial,
        max_side=max_side,
        inline=inline,
        as_text=as_text,
    )
    line = _verbose_line if batch.verbose else _line
    style = Style(batch.quiet, batch.as_json, line)
    if views is not None:
        ctx.exit(report(show(source, views, options, Policy(batch.overwrite is not False, batch.resume)), 1, style))
    jobs, failed = batch.plan(words, suffix, {".ddn"})
    unnamed = words.implied or _is_many(words, batch.words.recursive)
    policy = Policy(batch.overwrite is not False, batch.resume, batch.overwrite is None and unnamed)
    settled, remaining = settle(jobs, policy, lambda target: True)
    if batch.dry_run:
        ctx.exit(report_plan([*failed, *settled], remaining, batch.as_json))
    workers = batch.workers(len(remaining), device)
    outcomes = chain(failed, settled, run(([job] for job in remaining), decode_group, options, workers))
    ctx.exit(report(outcomes, len(failed) + len(jobs), style))


def _is_many(words: InputsAndOutput, recursive: bool) -> bool:
    """Whether the output has no name that says its format: folders and standard output."""
    return recursive or words.into_folder or len(words.sources) > 1 or words.output == STANDARD or words.output.is_dir()


def _line(product: Product) -> str:
    return f"{len(product.data)} bytes, {product.width} x {product.height}"


def _verbose_line(product: Product) -> str:
    return f"{_line(product)}, {share(product)}, {product.seconds:.2f} s"
