"""`python -m benchmarks`: one click group; each command is imported when it is used."""

import importlib

import click

COMMANDS = {
    "batch": ("benchmarks.batch", "batch"),
    "bench": ("benchmarks.bench", "bench"),
    "demo": ("benchmarks.demo", "demo"),
    "density": ("benchmarks.density", "density_command"),
    "digits": ("benchmarks.digits", "digits"),
    "effort": ("benchmarks.effort", "effort"),
    "faces": ("benchmarks.faces", "faces"),
    "guidance": ("benchmarks.guidance", "guidance"),
    "options": ("benchmarks.options", "options"),
    "page": ("benchmarks.page", "page"),
    "plot": ("benchmarks.report", "plot"),
    "prior": ("benchmarks.prior", "prior"),
    "progressive": ("benchmarks.progressive", "progressive"),
    "rd": ("benchmarks.rd", "rd"),
    "retrieval": ("benchmarks.retrieval", "retrieval"),
    "samples": ("benchmarks.datasets", "samples"),
    "screenshot": ("benchmarks.browser", "screenshot"),
    "selection": ("benchmarks.selection", "selection"),
    "small": ("benchmarks.small", "small"),
    "speed": ("benchmarks.speed", "speed"),
    "table": ("benchmarks.report", "table"),
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
