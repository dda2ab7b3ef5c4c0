"""`python -m benchmarks`: one click group; each command is imported when it is used."""

import importlib

import click

from benchmarks.errors import BenchmarkError

COMMANDS = {
    "batch": "benchmarks.compare.batch:batch",
    "bench": "benchmarks.compare.bench:bench",
    "demo": "benchmarks.demo:demo",
    "density": "benchmarks.experiments.density:density_command",
    "digits": "benchmarks.experiments.digits:digits",
    "effort": "benchmarks.experiments.effort:effort",
    "faces": "benchmarks.experiments.faces:faces",
    "guidance": "benchmarks.experiments.guidance:guidance",
    "options": "benchmarks.experiments.options:options",
    "page": "benchmarks.compare.page:page",
    "plot": "benchmarks.compare.report:plot",
    "prior": "benchmarks.experiments.prior:prior",
    "progressive": "benchmarks.compare.progressive:progressive",
    "rd": "benchmarks.compare.rd:rd",
    "retrieval": "benchmarks.experiments.retrieval:retrieval",
    "samples": "benchmarks.datasets:samples",
    "screenshot": "benchmarks.compare.browser:screenshot",
    "selection": "benchmarks.experiments.selection:selection",
    "small": "benchmarks.compare.small:small",
    "speed": "benchmarks.compare.speed:speed",
    "table": "benchmarks.compare.report:table",
}
"""Module and function of every command."""
INSTALL = "pip install -e '.[bench]'"


class Commands(click.Group):
    """Imports a command when it is asked for: the package that one command lacks does not stop another."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name].partition(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), function)
        except ModuleNotFoundError as error:
            return _unavailable(cmd_name, error)
        return command


def _unavailable(name: str, error: ModuleNotFoundError) -> click.Command:
    """A command that takes any words and fails with one line, for a command whose packages are not installed."""

    def fail(words: tuple[str, ...]) -> None:
        raise BenchmarkError(f"`{name}` needs the package {error.name}: in the source tree, {INSTALL}") from error

    return click.Command(
        name,
        params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
        callback=fail,
        short_help=f"Not available: the package {error.name} is not installed.",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True},
    )


@click.group(cls=Commands)
def main() -> None:
    """Measure ddncodec against other codecs, and report the measurements."""


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
