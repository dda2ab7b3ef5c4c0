"""What decoding indices takes is bounded by the limits, whatever a stream claims; measured as the process's peak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CELLS = 1 << 21
BYTES_PER_CELL = 34
"""Documented in `bitstream.Limits`: 4 for each cell, some 30 more for each cell of the largest pass."""
CHANNELS = 32
"""Of an index prior; twice as many bytes are documented for each cell of the largest plane."""
SLACK = 8 << 20

MEASURE = f"""if True:
    import sys
    from pathlib import Path
    import numpy as np
    from bitstream import *

    def peak():
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) << 10

    layout = (Level(0, 5), Level(16, 8), Level(8, 7), Level(4, 300))
    tables = [LevelTables.flat(level.outputs) for level in layout]
    limits = Limits(max_cells={CELLS})

    def level_prior(k, c):
        small = lambda *shape: np.zeros(shape, np.int8)
        bias = np.zeros(c, np.int32)
        return LevelPrior(small(9 * c, c), bias, bias, small(c, c), bias, small(k, c), small(4 * c, c), bias,
                          small(c, c), bias, small(c, k), np.zeros(k, np.int32), small(k, c))

    twice = (*layout, layout[-1])
    prior = IndexPrior(np.zeros({CHANNELS}, np.int8), tuple(level_prior(each.outputs, {CHANNELS}) for each in twice))

    def attempt(side, claimed, payload=b"", layout=layout, tables=tables):
        header = Header(bytes(8), side, side, coded=True, lambda_step=9)
        data = write_stream(header, [Pass(count, payload) for count in claimed])
        try:
            decode_planes(read_stream(data, limits=limits), layout, tables, limits=limits)
            return "decoded"
        except BitstreamError as error:
            return type(error).__name__

    attempt(64, [4])
    before = peak()
    print({{}}, peak() - before)
"""


def measured(attempt: str) -> tuple[str, int]:
    """What came of it, and by how many bytes the peak memory of a process of its own grew."""
    code = MEASURE.format(attempt)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    outcome, growth = run.stdout.split()
    return outcome, int(growth)


def test_a_few_bytes_that_claim_as_many_cells_as_allowed_cost_no_more_than_documented() -> None:
    outcome, growth = measured("attempt(4992, [4])")  # 1.95 million cells of 2.10 million allowed
    assert outcome == "decoded"
    assert CELLS * BYTES_PER_CELL // 8 < growth < CELLS * BYTES_PER_CELL + SLACK


def test_the_index_prior_takes_what_is_documented_more() -> None:
    """The two largest planes are of one size, so that states of both could be there at a time."""
    largest = (3776 // 4) ** 2
    outcome, growth = measured("attempt(3776, [5], layout=twice, tables=prior)")
    assert outcome == "decoded"
    assert 2 * CHANNELS * largest < growth < CELLS * BYTES_PER_CELL + 2 * CHANNELS * largest + SLACK


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        ("attempt(5376, [4])", "LimitError"),
        ("attempt(16384, [1, 1, 1, 1])", "LimitError"),
        ("attempt(65535, [1])", "LimitError"),
        ("attempt(64, [2**31 - 1])", "CorruptionError"),
        ("attempt(64, [1] * 9000)", "LimitError"),
    ],
)
def test_claims_beyond_the_limits_cost_nothing(attempt: str, outcome: str) -> None:
    found, growth = measured(attempt)
    assert found == outcome
    assert growth < SLACK
