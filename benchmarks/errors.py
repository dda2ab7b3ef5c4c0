"""What can go wrong in a benchmark, told in one line and without a traceback."""

import click


class BenchmarkError(click.ClickException):
    """A measurement or report that cannot be made as asked."""


class CodecUnavailableError(BenchmarkError):
    """A codec whose library is not installed here; the run goes on without it."""
