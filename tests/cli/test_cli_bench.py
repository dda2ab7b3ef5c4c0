"""`ddnc bench` hands on to the benchmarks of the source tree, and says so where there are none."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ddncodec.cli import bench
from ddncodec.cli.main import main


def test_status_and_words_are_handed_on(capfd: pytest.CaptureFixture[str]) -> None:
    assert CliRunner().invoke(main, ["bench", "--help"]).exit_code == 0
    text = capfd.readouterr().out
    assert "--images" in text
    assert "ddnc bench" in text.partition("Examples:")[2]
    assert CliRunner().invoke(main, ["bench", "--images", "absent", "--out", "x"]).exit_code == 2
    assert "absent" in capfd.readouterr().err


def test_without_a_source_tree_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SOURCES", tmp_path)
    result = CliRunner().invoke(main, ["bench", "--images", "photos"])
    assert result.exit_code == 1
    assert result.output.startswith("ddnc: error: ") and len(result.output.splitlines()) == 1
    text = CliRunner().invoke(main, ["bench", "--help"]).output
    assert "ddnc bench" in text.partition("Examples:")[2]
