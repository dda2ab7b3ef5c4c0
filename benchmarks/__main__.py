"""`python -m benchmarks`: one click group; each command is imported when it is used."""

import importlib

import click

COMMANDS = {
    "batch": ("benchmarks.compare.batch", "batch"),
    "bench": ("benchmarks.compare.bench", "bench"),
    "demo": ("benchmarks.demo", "demo"),
    "density": ("benchmarks.experiments.density", "density_command"),
    "digits": ("benchmarks.experiments.digits", "digits"),
    "effort": ("benchmarks.experiments.effort", "effort"),
    "faces": ("benchmarks.experiments.faces", "faces"),
    "guidance": ("benchmarks.experiments.guidance", "guidance"),
    "options": ("benchmarks.experiments.options", "options"),
    "page": ("benchmarks.compare.page", "page"),
    "plot": ("benchmarks.compare.report", "plot"),
    "prior": ("benchmarks.experiments.prior", "prior"),
    "progressive": ("benchmarks.compare.progressive", "progressive"),
    "rd": ("benchmarks.compare.rd", "rd"),
    "retrieval": ("benchmarks.experiments.retrieval", "retrieval"),
    "samples": ("benchmarks.datasets", "samples"),
    "screenshot": ("benchmarks.compare.browser", "screenshot"),
    "selection": ("benchmarks.experiments.selection", "selection"),
    "small": ("benchmarks.compare.small", "small"),
    "speed": ("benchmarks.compare.speed", "speed"),
    "table": ("benchmarks.compare.report", "table"),
}
"""Module and function of every command."""


class Commands(click.Group):
    """Imports late: what one command needs (torch, matplotlib) is neither waited for nor missed by another."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), function)
        return command


@click.group(cls=Commands)
def main() -> None:
    """Measure ddncodec against other codecs, and report the measurements."""


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
