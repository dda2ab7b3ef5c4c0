"""`ddnc selftest`: a line for every way of decoding, and the status."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from cli_cases import Ddnc, Refused

from ddncodec import selftest
from ddncodec.selftest import Check


@pytest.fixture
def one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Check(selftest.ways()[0], 0, 0, 0.0)
    checks = [first, dataclasses.replace(first, way=selftest.ways()[-1], wrong_indices=3)]
    monkeypatch.setattr(selftest, "run", lambda model: iter(checks))


def test_it_passes_here_with_a_line_for_every_way(ddnc: Ddnc) -> None:
    result = ddnc("selftest", "--model", "tiny")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line[:42].strip() for line in lines] == [f"ok     {way}" for way in selftest.ways()]
    assert all("PSNR loss" in line for line in lines)


@pytest.mark.usefixtures("one_fails")
def test_a_failure_is_reported_and_is_the_status(ddnc: Ddnc) -> None:
    for words, lines in (((), 1), (("--quiet",), 0)):
        result = ddnc("selftest", *words)
        assert result.exit_code == 1
        assert len(result.stdout.splitlines()) == lines
        (line,) = result.stderr.splitlines()
        assert line.startswith("FAILED")
        assert "wrong indices 3" in line


def test_unknown_models(refused: Refused, workplace: Path) -> None:
    assert "'nobody'" in refused("selftest", "--model", "nobody")
