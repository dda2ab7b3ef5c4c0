"""The command `ddnc`."""

from __future__ import annotations

import click

from ddncodec import __version__
from ddncodec.cli.failures import Commands

EPILOG = """\b
Exit status:
  0         done
  1         at least one file failed; one line `ddnc: error: ...` on standard error for each says why
  2         the command line is wrong; one line says how
  130, 143  interrupted by Ctrl-C or SIGTERM; `ddnc train` leaves a checkpoint

Outputs are written to a temporary file and renamed, so that a failure leaves an existing file as it was."""

COMMANDS = {
    "bench": "Measure codecs on pictures and write a report.",
    "decode": "Decode streams to pictures.",
    "doctor": "Examine this installation.",
    "encode": "Encode pictures to streams.",
    "guide": "Make a picture that fits a given one.",
    "info": "Describe a stream.",
    "models": "List the installed models.",
    "placeholder": "Make a picture of a few dozen bytes.",
    "sample": "Draw pictures at random.",
    "selftest": "Check that this machine decodes as it must.",
    "train": "Train a model on pictures.",
    "tree": "Draw the tree of all pictures of a small model.",
    "truncate": "Cut a stream without encoding again.",
    "verify": "Check streams for damage.",
}
"""Each command and the first line of its help; the module of that name next to this one is imported when it is used."""


@click.group(cls=Commands, summaries=COMMANDS, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ddnc", message="%(prog)s %(version)s")
def main() -> None:
    """Lossy image codec: a Discrete Distribution Network whose selected indices are the compressed picture."""
