"""`kill -9` while a file is being written leaves the previous one or none, never half a file; work can be continued."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from drawing import draw_folder
from trust_cases import GOLDEN

import ddncodec
from ddncodec.cli.main import main
from ddncodec.cli.training import session

ROOT = Path(ddncodec.__file__).parents[1]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw_folder(tmp_path / "photos", 4, 32)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDNC_MODEL_PATH", str(GOLDEN))
    return tmp_path


def killed(moment: str, number: int, name: str, *words: object) -> None:
    """Run `ddnc`, and kill it at a moment; see stopping.py."""
    command = [sys.executable, str(Path(__file__).with_name("stopping.py")), moment, str(number), name]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([*command, *map(str, words)], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert any(line == "here\n" for line in process.stdout)
        process.kill()


def ddnc(*words: object) -> None:
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def visible(folder: Path) -> list[str]:
    """Names of files that a user sees; the temporary one, left by a killed process, begins with a dot."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize(("moment", "before", "after"), [
    ("half", None, None), ("half", b"old", b"old"), ("whole", b"old", b"old"), ("moved", b"old", "new"),
])  # fmt: skip
def test_killed_while_encoding(moment: str, before: bytes | None, after: bytes | str | None) -> None:
    target = Path("streams/photo.ddn")
    target.parent.mkdir()
    if before is not None:
        target.write_bytes(before)
    words = ("encode", "photos/drawn000.png", target, "--model", "tiny", "--quiet")
    killed(moment, 1, target.name, *words)
    assert visible(target.parent) == ([] if after is None else [target.name])
    if after == "new":
        ddnc("verify", target)
    elif after is not None:
        assert target.read_bytes() == after
    ddnc(*words)
    ddnc("verify", target)


def test_killed_in_a_batch() -> None:
    words = ("encode", "-r", "photos", "--model", "tiny", "--quiet", "-o")
    killed("half", 3, "*.ddn", *words, "streams")
    done = visible(Path("streams"))
    assert len(done) == 2
    times = {name: Path("streams", name).stat().st_mtime_ns for name in done}
    ddnc(*words, "streams", "--resume")
    ddnc(*words, "straight")
    assert visible(Path("streams")) == visible(Path("straight"))
    for name in visible(Path("straight")):
        assert Path("streams", name).read_bytes() == Path("straight", name).read_bytes()
    assert times == {name: Path("streams", name).stat().st_mtime_ns for name in done}


def test_killed_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "release", partial(session.release, images=4))
    train = ("train", "--data", "photos", "--threads", 1, "--quiet")
    killed("half", 3, "checkpoint.pt", *train, "--config", "tiny", "--steps", 8, "--run", "run")
    assert torch.load("run/checkpoint.pt", weights_only=True)["step"] == 1  # the third would say 2
    killed("half", 1, "tiny.safetensors", *train, "--resume", "run")
    assert torch.load("run/checkpoint.pt", weights_only=True)["step"] == 8
    assert not Path("run/tiny.safetensors").exists()
    ddnc(*train, "--resume", "run")
    ddnc("models")
    assert "tiny.safetensors" in visible(Path("run"))
