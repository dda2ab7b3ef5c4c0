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
    blurrier picture. Streams under about 2.8 kB have one pass only. No model is needed. `-` is standard input or
    output.
    """
    if levels is None and max_bytes is None:
        raise click.UsageError("give --levels, --max-bytes or both")
    check_output(target)
    check_distinct([FileJob(source, target)])
    with as_failures(source):
        data = bitstream.truncate(read_file(source), levels=levels, max_bytes=max_bytes)
        header = bitstream.read_header(data)
    write_file(target, data)
    if not quiet and target != STANDARD:
        click.echo(f"{target}: {len(data)} bytes, {8 * len(data) / (header.width * header.height):.4f} bpp")
