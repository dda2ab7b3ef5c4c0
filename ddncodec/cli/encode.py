"""`ddnc encode`."""

from __future__ import annotations

import warnings
from itertools import chain
from pathlib import Path

import click
from click.core import ParameterSource

from ddncodec.batch.outcomes import Product
from ddncodec.cli.batch.options import BatchArguments, batch_options
from ddncodec.cli.batch.reporting import Style, on_terminal, report, report_plan, share, show_trial
from ddncodec.cli.failures import Failure
from ddncodec.cli.options import (
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
from ddncodec.coding.effort import DEFAULT_EFFORT, EFFORTS
from ddncodec.coding.tune import DEFAULT_TUNE, TUNES
from ddncodec.files import STANDARD, is_special
from ddncodec.images.metadata import METADATA_KINDS

SUFFIX = ".ddn"


class MetadataKinds(click.ParamType):
    """all, none, or kinds of metadata with commas between them."""

    name = "metadata"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        words = {"all": METADATA_KINDS, "none": ()}.get(str(value), tuple(str(value).split(",")))
        for word in words:
            if word not in METADATA_KINDS:
                self.fail(f"{word!r} is none of {', '.join(METADATA_KINDS)}, all and none", param, ctx)
        return words


@click.command(
    epilog=examples(
        "ddnc encode photo.jpg photo.ddn",
        "ddnc encode photo.jpg photo.ddn --quality 80 --metadata all",
        "ddnc encode photo.jpg photo.ddn --max-bytes 20000",
        "ddnc encode -r photos/ -o streams/ -j 4 --resume",
        "ddnc encode *.png -o streams/ --json",
        "ddnc encode - - < photo.jpg > photo.ddn",
        "ddnc encode thumbnail.png - --inline --base64",
    )
)
@batch_options
@click.option(
    "-q",
    "--quality",
    type=click.FloatRange(0, 100),
    default=50.0,
    show_default=True,
    help="From smallest to best.",
)
@click.option("--max-bytes", type=click.IntRange(1), metavar="N", help="Instead of -q: at most N bytes, near to it.")
@click.option(
    "--bpp",
    type=click.FloatRange(0, min_open=True),
    metavar="X",
    help="Instead of -q: at most X bits of the file per pixel, near to it.",
)
@click.option(
    "--psnr",
    type=click.FloatRange(0, min_open=True),
    metavar="X",
    help="Instead of -q: at least X dB, near to it; out of reach, the best is written and the exit status 1.",
)
@click.option(
    "--coding",
    type=click.Choice(["coded", "plain"]),
    default="coded",
    show_default=True,
    help="Range coded, or log2 K bits for every index.",
)
@click.option(
    "-e",
    "--effort",
    type=click.IntRange(1, len(EFFORTS)),
    default=DEFAULT_EFFORT,
    show_default=True,
    metavar="1..9",
    help="Time to spend on a smaller file; decoding takes no longer.",
)
@click.option(
    "--tune",
    type=click.Choice(TUNES),
    help=f"Weigh errors as the eye sees them, or count all alike.  [default: {DEFAULT_TUNE}; psnr with --psnr]",
)
@click.option(
    "--metadata",
    type=MetadataKinds(),
    default="none",
    show_default=True,
    metavar="all|none|icc,exif,xmp",
    help="What to keep of it.",
)
@click.option("--background", metavar="COLOR", help="Lay transparent pictures over it.  [default: keep alpha]")
@click.option("--frame", type=click.Choice(["first"]), help="Take this one of animations.  [default: refuse them]")
@click.option("--force", is_flag=True, help="Write OUT even if it is, or is called like, a picture.")
@inline_option
@base64_option
@max_pixels_option
@model_option
@device_option
@precision_option
@threads_option
@click.pass_context
def encode(
    ctx: click.Context,
    batch: BatchArguments,
    quality: float,
    max_bytes: int | None,
    bpp: float | None,
    psnr: float | None,
    coding: str,
    effort: int,
    tune: str | None,
    metadata: tuple[str, ...],
    background: str | None,
    frame: str | None,
    inline: bool,
    as_text: bool,
    max_pixels: int,
    model: str | None,
    device: str,
    precision: str,
    threads: int | None,
    force: bool,
) -> None:
    """Encode pictures to streams.

    Inputs are pictures of any format that Pillow reads. OUT is a file; or a folder, where outputs have the names of
    their inputs with the suffix .ddn, and with -r their places as well; or left out: photo.png becomes photo.ddn.
    `-` is standard input or output. Prints the size of every output in bytes and in bits per pixel. A file that
    fails does not keep others from being encoded.

    A size or PSNR asked for takes several encodings of each picture, 3 to 5 of most photographs.

    An inline stream holds no alpha and no metadata, and `ddnc decode --inline` needs its --model.

    Pixels are coded upright, in sRGB, with 8 bits a sample; what is lost by that is reported. Gray stays gray.

    --resume skips streams of the same model, --coding and quality, or no larger than is asked for. A stream does not
    record --psnr, --metadata, --background, --frame, --effort and --tune: where those change, leave --resume out.
    """
    target = _target(ctx, max_bytes=max_bytes, bpp=bpp, psnr=psnr)
    from ddncodec.batch.encoding import DEFAULT_MODEL, EncodeOptions, encode_group, groups, ignore_trial
    from ddncodec.batch.existing import Policy, is_encoded_so, settle
    from ddncodec.batch.run import run
    from ddncodec.images.files import SUFFIXES
    from ddncodec.images.pixels import check_color
    from ddncodec.zoo import registry

    if background is not None:
        check_color(background)
    words = batch.words.resolve(SUFFIX)
    jobs, failed = batch.plan(words, SUFFIX, SUFFIXES)
    if not (force or words.into_folder or words.output.is_dir()):
        _check_is_no_picture(words.output)
    registry.find(model or DEFAULT_MODEL)
    trials = bool(target) and len(jobs) == 1 and not batch.quiet and on_terminal()
    options = EncodeOptions(
        model=model or DEFAULT_MODEL,
        device=device,
        precision=precision,
        threads=threads,
        limits=limits_of(max_pixels),
        quality=quality,
        coding=coding,
        effort=effort,
        tune=tune,
        metadata=metadata,
        background=background or ("white" if inline else None),
        target=target,
        first_frame=frame == "first",
        inline=inline,
        as_text=as_text,
        measure=batch.verbose,
        on_trial=show_trial if trials else ignore_trial,
    )
    policy = Policy(batch.overwrite is not False, batch.resume, batch.overwrite is None and words.implied)
    settled, remaining = settle(jobs, policy, lambda path: is_encoded_so(path, options))
    if batch.dry_run:
        ctx.exit(report_plan([*failed, *settled], remaining, batch.as_json))
    workers = batch.workers(len(remaining), device)
    outcomes = chain(failed, settled, run(groups(remaining, options), encode_group, options, workers))
    style = Style(batch.quiet, batch.as_json, _verbose_line if batch.verbose else _line, trials)
    ctx.exit(report(outcomes, len(failed) + len(jobs), style))


def _target(ctx: click.Context, **targets: float | None) -> dict[str, float]:
    """The target that is asked for, or none. Raises click.UsageError where it is not the only one."""
    found = {name: value for name, value in targets.items() if value is not None}
    explicit = ctx.get_parameter_source("quality") is not ParameterSource.DEFAULT
    if len(found) + explicit > 1:
        raise click.UsageError("give one of --quality, --max-bytes, --bpp and --psnr")
    return found


def _check_is_no_picture(output: Path) -> None:
    """Raise Failure where OUT is rather a picture: `ddnc encode *.png` would replace the last one."""
    from PIL import Image

    hint = "an output is a stream, or a folder for several inputs; --force writes it all the same"
    if output == STANDARD or is_special(output):
        return
    if output.suffix.lower() in Image.registered_extensions() and output.suffix.lower() != SUFFIX:
        raise Failure(f"{output}: has the suffix of a picture; {hint}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(output) as found:
                kind = found.format
    except Exception:  # no file, or no picture; Pillow's decoders raise anything
        return
    if kind != "DDN":
        raise Failure(f"{output}: is a picture; {hint}")


def _line(product: Product) -> str:
    size = len(product.data)
    return f"{size} bytes, {8 * size / (product.width * product.height):.4f} bpp"


def _verbose_line(product: Product) -> str:
    decibels = "" if product.psnr is None else f", {product.psnr:.2f} dB"
    return f"{_line(product)}, {share(product)}{decibels}, {product.seconds:.2f} s"
