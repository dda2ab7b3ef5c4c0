"""The command `ddnc`."""

from __future__ import annotations

import click

from ddncodec import __version__
from ddncodec.cli.decode import decode
from ddncodec.cli.encode import encode
from ddncodec.cli.failures import Commands
from ddncodec.cli.info import info
from ddncodec.cli.models import models
from ddncodec.cli.train import train
from ddncodec.cli.truncate import truncate
from ddncodec.cli.verify import verify

EPILOG = """\b
Exit status:
  0         done
  1         failed; one line `ddnc: error: ...` on standard error says why
  2         the command line is wrong; one line says how
  130, 143  interrupted by Ctrl-C or SIGTERM; `ddnc train` leaves a checkpoint

Outputs are written to a temporary file and renamed, so that a failure leaves an existing file as it was."""


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ddnc", message="%(prog)s %(version)s")
def main() -> None:
    """Lossy image codec: a Discrete Distribution Network whose selected indices are the compressed picture."""


for command in (encode, decode, info, truncate, verify, models, train):
    main.add_command(command)
