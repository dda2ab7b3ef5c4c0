"""`ddnc bench`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

import ddncodec
from ddncodec.cli.failures import Failure
from ddncodec.cli.options import examples

SOURCES = Path(ddncodec.__file__).parents[1]


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
    epilog=examples("ddnc bench --images photos/ --out report/", "ddnc bench --help"),
)
@click.argument("words", metavar="[OPTIONS]", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def bench(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Measure codecs on pictures and write a report.

    Runs `python -m benchmarks bench`, which is in the source tree and is not installed with the package.
    """
    if not (SOURCES / "benchmarks" / "__main__.py").is_file():
        if {"-h", "--help"} & set(words):
            click.echo(ctx.get_help())
            return
        raise Failure("the benchmarks are in the source tree only: in a clone of it, pip install -e '.[bench]'")
    path = os.pathsep.join(filter(None, (str(SOURCES), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "benchmarks", "bench", *words]
    ctx.exit(subprocess.run(command, env={**os.environ, "PYTHONPATH": path}).returncode)
