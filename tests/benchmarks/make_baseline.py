"""Writes baseline.csv, the rows of the tiny model that test_benchmarks_baseline.py compares with.

Run by hand where a change of rate is meant, with PYTHONPATH=.:tests:tests/benchmarks.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from benchmark_cases import draw_picture

from benchmarks.compare.codecs import Ddnc
from benchmarks.compare.rd import CSV_NAME, measure_folder
from benchmarks.compare.rows import RdRow, read_rows, write_rows

HERE = Path(__file__).parent
BASELINE = HERE / "baseline.csv"
TINY = HERE.parent / "golden" / "tiny.safetensors"


def measure_tiny(folder: Path) -> list[RdRow]:
    """Rows of the tiny model at effort 1 on two drawn pictures."""
    paths = []
    for seed in (1, 2):
        paths.append(folder / f"drawn{seed}.png")
        draw_picture(seed).resize((288, 192)).save(paths[-1])
    measure_folder([Ddnc(str(TINY), effort=1)], paths, folder, workers=1, quiet=True)
    return read_rows(folder / CSV_NAME)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        # Times depend on the machine, which a repository does not have.
        write_rows(BASELINE, [replace(row, machine="none", commit="none") for row in measure_tiny(Path(name))])
