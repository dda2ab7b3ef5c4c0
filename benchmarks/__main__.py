"""`python -m benchmarks`: one click group, one command per file."""

import click

from benchmarks.demo import demo
from benchmarks.density import density_command
from benchmarks.progressive import progressive
from benchmarks.rd import rd
from benchmarks.report import plot, table
from benchmarks.selection import selection


@click.group()
def main() -> None:
    """Measure ddncodec against other codecs, and report the measurements."""


for command in (rd, table, plot, demo, selection, progressive, density_command):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
