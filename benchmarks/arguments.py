"""Click options that several commands share, and errors of the library as one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from benchmarks.errors import BenchmarkError

Decorator = Callable[[Any], Any]

images_option = click.option(
    "--images",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the original pictures.",
)
model_option = click.option(
    "--model", default="photo", show_default=True, metavar="NAME|PATH", help="Model of ddnc, a name or a weights file."
)
workers_option = click.option(
    "--jobs",
    "workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Files measured at a time. More than one lengthens the times measured.",
)
quiet_option = click.option("--quiet", is_flag=True, help="Show neither progress nor the table.")
digits_option = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of MNIST: train.zip and test.zip with pictures <index>_<label>.png.",
)


def effort_option(default: int) -> Decorator:
    return click.option(
        "--effort", default=default, show_default=True, type=click.IntRange(1, 9), help="Effort of ddnc's encoder."
    )


def out_option(help_text: str) -> Decorator:
    """The folder that a command writes to; the command makes it."""
    return click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help=help_text)


@contextmanager
def library_errors() -> Iterator[None]:
    """Report an error of ddncodec, or a number that cannot be read, in one line.

    Raises:
        BenchmarkError: with the text of the DdncError or ValueError of the block.
    """
    from ddncodec import DdncError

    try:
        yield
    except (DdncError, ValueError) as error:
        raise BenchmarkError(str(error)) from error
