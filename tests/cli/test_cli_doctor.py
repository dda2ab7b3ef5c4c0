"""`ddnc doctor` and shell completion: what helps when nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_cases import TINY, Ddnc

import ddncodec
from ddncodec.cli.main import main
from ddncodec.zoo import registry


def test_a_sound_installation_is_reported_as_sound(ddnc: Ddnc) -> None:
    result = ddnc("doctor")
    assert result.exit_code == 0
    for part in (f"ddncodec {ddncodec.__version__}", "torch 2", "webp", "cpu, ", f"sound, {TINY}", "can be written"):
        assert part in result.stdout
    assert "WRONG" not in result.output


def test_damage_is_named_and_the_rest_examined(workplace: Path, ddnc: Ddnc, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("models").mkdir()
    name = "broken.safetensors"
    Path("models", name).write_bytes(TINY.read_bytes())
    Path("models", registry.SUMS).write_text(f"{'0' * 64}  {name}\n")
    monkeypatch.setenv("DDNC_MODEL_PATH", "models")
    result = ddnc("doctor")
    assert result.exit_code == 1
    (wrong,) = [line for line in result.stdout.splitlines() if "WRONG" in line]
    assert name in wrong and "SHA-256" in wrong
    assert "can be written" in result.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_DDNC_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "ddnc dec")
    monkeypatch.setenv("COMP_CWORD", "dec" if shell == "fish" else "1")
    with pytest.raises(SystemExit):
        main([], prog_name="ddnc")
    assert "decode" in capsys.readouterr().out
