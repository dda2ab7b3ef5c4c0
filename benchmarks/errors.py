"""Errors of benchmarks, printed as one line without a traceback."""

import click


class BenchmarkError(click.ClickException):
    """A measurement or report that cannot be made as asked."""


class CodecUnavailableError(BenchmarkError):
    """A codec whose library is not installed here; a run continues without it."""
