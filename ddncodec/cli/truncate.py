"""`ddnc truncate`."""

from __future__ import annotations

from pathlib import Path

import click

import bitstream
from ddncodec.batch.jobs import check_distinct, check_output
from ddncodec.batch.outcomes import FileJob
from ddncodec.cli.failures import as_failures
from ddncodec.cli.options import FILE, examples, quiet_option
from ddncodec.files import STANDARD, read_file, write_file


@click.command(
    epilog=examples(
        "ddnc truncate photo.ddn small.ddn --max-bytes 4000",
        "ddnc truncate photo.ddn small.ddn --levels 8",
    )
)
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@click.option("--levels", type=click.IntRange(1), metavar="N", help="At most N levels.")
@click.option("--max-bytes", type=click.IntRange(1), metavar="N", help="At most N bytes.")
@quiet_option
def truncate(source: Path, target: Path, levels: int | None, max_bytes: int | None, quiet: bool) -> None:
    """Cut a stream without encoding again.

    OUT is the longest prefix of IN that ends after a whole pass and meets every bound given: a smaller file of a
    blurrier picture. No model is needed for that. Where not even the first pass meets them, as in streams under about
    2.8 kB, which have one pass only, the indices of the first levels are coded again, which takes the model's tables.
    `-` is standard input or output.
    """
    if levels is None and max_bytes is None:
        raise click.UsageError("give --levels, --max-bytes or both")
    check_output(target)
    check_distinct([FileJob(source, target)])
    with as_failures(source):
        whole = read_file(source)
        try:
            data = bitstream.truncate(whole, levels=levels, max_bytes=max_bytes)
        except bitstream.InvalidArgumentError:
            data = _recoded(whole, levels, max_bytes)
        header = bitstream.read_header(data)
    write_file(target, data)
    lost = [name.lower() for name in _metadata_of(whole) if name not in _metadata_of(data)]
    if lost and not quiet:
        click.echo(f"ddnc: note: {source}: {', '.join(lost)} follow the last pass and are cut off", err=True)
    if not quiet and target != STANDARD:
        click.echo(f"{target}: {len(data)} bytes, {8 * len(data) / (header.width * header.height):.4f} bpp")


def _recoded(data: bytes, levels: int | None, max_bytes: int | None) -> bytes:
    from ddncodec.zoo import registry
    from ddncodec.zoo.weights_file import read_probabilities

    info = registry.find_identity(bitstream.read_header(data).model_id)
    probabilities = read_probabilities(info.path, len(info.layout))
    return bitstream.cut_levels(data, info.layout, probabilities, levels=levels, max_bytes=max_bytes)


def _metadata_of(data: bytes) -> list[str]:
    """Names of the kinds of metadata in a stream."""
    return [chunk.name for chunk in bitstream.describe(data).chunks if chunk.name in ("EXIF", "ICC", "XMP")]
