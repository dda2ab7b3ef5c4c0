"""`ddnc verify`."""

from __future__ import annotations

from pathlib import Path

import click

import bitstream
from ddncodec.cli.failures import FAILED, Failure, as_failures
from ddncodec.cli.options import FILE, examples, quiet_option
from ddncodec.files import read_file


@click.command(epilog=examples("ddnc verify photo.ddn", "ddnc verify --quiet *.ddn"))
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@quiet_option
@click.pass_context
def verify(ctx: click.Context, files: tuple[Path, ...], quiet: bool) -> None:
    """Check streams for damage.

    FILE may be `-`, standard input. Checks the framing and every checksum. No model is needed. All files are checked;
    the exit status is 1 if any of them is damaged.
    """
    status = 0
    for file in files:
        try:
            with as_failures(file):
                bitstream.verify(read_file(file))
        except Failure as failure:
            failure.show()
            status = FAILED
        else:
            if not quiet:
                click.echo(f"{file}: ok")
    ctx.exit(status)
