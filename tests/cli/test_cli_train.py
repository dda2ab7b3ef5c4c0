"""`ddnc train`: runs end with weights; interrupted ones end with the same weights a little later."""

from __future__ import annotations

import csv
import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from cli_cases import Ddnc, Refused
from drawing import draw_folder
from safetensors import safe_open

import ddncodec
from ddncodec.cli.training import session, training_log

STEPS = 50
OPTIONS = ("--config", "tiny", "--steps", STEPS, "--threads", 1)


@pytest.fixture
def pictures(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Training pictures; and weights whose tables are fitted on a few crops only."""
    monkeypatch.setattr(session, "release", functools.partial(session.release, images=6))
    return draw_folder(workplace / "pictures", 4)


def test_interrupted_runs_resume_to_the_same_weights(
    pictures: Path, ddnc: Ddnc, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, straight = Path("runs/broken"), Path("runs/straight")
    first = ("train", "--data", pictures, *OPTIONS, "--run", broken)
    again = ("train", "--data", pictures, "--resume", broken, "--threads", 1)
    for words, number, step, status in ((first, signal.SIGINT, 13, 130), (again, signal.SIGTERM, 31, 143)):
        with monkeypatch.context() as patch:
            _raise_at(step, number, patch)
            result = ddnc(*words)
        assert result.exit_code == status
        assert f"stopped at step {step} of {STEPS}" in result.stdout
        assert _step(broken) == step
        assert not (broken / "tiny.safetensors").exists()
    assert ddnc(*again).exit_code == 0
    assert ddnc("train", "--data", pictures, *OPTIONS, "--run", straight).exit_code == 0
    assert _same(*(_tensors(run / "tiny.safetensors") for run in (broken, straight)))
    assert _log_steps(straight) == [10, 20, 30, 40, 50]
    assert _log_steps(broken) == [10, 13, 20, 30, 31, 40, 50]


def test_a_signal_from_outside_leaves_a_checkpoint(pictures: Path) -> None:
    words = ("train", "--data", pictures, "--config", "tiny", "--steps", 5000, "--run", "run", "--threads", 1)
    environment = {**os.environ, "PYTHONPATH": str(Path(ddncodec.__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-m", "ddncodec.cli", *map(str, words)], env=environment) as process:
        for _ in range(1200):
            if process.poll() is not None or _log_steps(Path("run")):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert _step(Path("run")) >= 10


def test_time_limit_leaves_a_checkpoint_and_weights_on_request(pictures: Path, ddnc: Ddnc) -> None:
    limits = ("--max-minutes", "0.001")
    result = ddnc("train", "--data", pictures, *OPTIONS, "--run", "run", *limits)
    assert result.exit_code == 0
    assert result.stdout.startswith("stopped at step ")
    assert f"ddnc train --data {pictures} --resume run" in result.stdout
    assert not Path("run/tiny.safetensors").exists()
    result = ddnc("train", "--data", pictures, "--resume", "run", "--release", *limits)
    assert "run/tiny.safetensors: model tiny, id " in result.stdout
    assert _step(Path("run")) < STEPS


def test_complete_runs_are_validated_with_real_streams(pictures: Path, ddnc: Ddnc) -> None:
    words = ("--config", "tiny", "--steps", 8, "--name", "mine", "--validate", pictures, "--precision", "bfloat16")
    result = ddnc("train", "--data", pictures, *words, "--quiet")
    assert result.exit_code == 0
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["quality", "bpp", "PSNR"]
    assert [row.split()[0] for row in rows] == ["0", "25", "50", "75", "100"]
    assert {path.name for path in Path("runs/mine").iterdir()} == {
        "checkpoint.pt",
        "log.csv",
        "run.json",
        "mine.safetensors",
    }
    assert json.loads(Path("runs/mine/run.json").read_text()) == {
        "config": "tiny",
        "steps": 8,
        "name": "mine",
        "init": None,
        "precision": "bfloat16",
        "accumulate": None,
    }
    with safe_open("runs/mine/mine.safetensors", "numpy") as file:
        assert json.loads(file.metadata()["ddncodec-1"])["name"] == "mine"


def test_processes_have_a_gpu_each_under_torchrun_only() -> None:
    assert session.device_name("cuda", True, None) == "cuda"
    assert session.device_name("cuda", True, "1") == session.device_name(None, True, "1") == "cuda:1"
    assert session.device_name("cuda:2", True, "1") == "cuda:2"
    assert session.device_name(None, False, "1") == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_training_on_a_gpu(pictures: Path, ddnc: Ddnc) -> None:
    assert ddnc("train", "--data", pictures, *OPTIONS, "--device", "cuda", "--run", "runs/gpu").exit_code == 0
    assert Path("runs/gpu/tiny.safetensors").exists()


def test_runs_that_cannot_begin(pictures: Path, refused: Refused) -> None:
    Path("empty").mkdir()
    Path("taken").mkdir()
    Path("taken/checkpoint.pt").write_bytes(b"dear")
    train = ("train", "--data", pictures)
    assert "'huge'" in refused(*train, "--config", "huge")
    assert "steps" in refused(*train, "--config", "tiny", "--steps", 1)
    assert "name" in refused(*train, "--config", "tiny", "--name", "../up")
    assert "quantum" in refused(*train, "--device", "quantum")
    assert "no pictures" in refused("train", "--data", "empty")
    assert "no pictures" in refused(*train, "--config", "tiny", "--validate", "empty")
    assert "missing/run.json" in refused(*train, "--resume", "missing")
    assert "--resume taken" in refused(*train, "--config", "tiny", "--run", "taken")
    assert "--resume" in refused(*train, "--resume", "taken", "--steps", 9, status=2)
    assert "--precision" in refused(*train, "--resume", "taken", "--precision", "float32", status=2)
    assert "--data" in refused("train", status=2)


def test_log_leaves_levels_out_of_training_empty_and_repeats_no_step(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = training_log.TrainingLog(path, levels=2, step=0)
    for step in range(1, 25):
        values = (float(step),) * (1 if step <= 10 else 2)
        log.add(session.Report(step, 1.0 / step, values, values, values))
    log.close()
    rows = _rows(path)
    assert [(row["step"], row["psnr_1"], row["psnr_2"]) for row in rows] == [
        ("10", "5.5000", ""),
        ("20", "15.5000", "15.5000"),
        ("24", "22.5000", "22.5000"),
    ]
    training_log.TrainingLog(path, levels=2, step=20)
    assert [row["step"] for row in _rows(path)] == ["10", "20"]


def _raise_at(step: int, number: signal.Signals, patch: pytest.MonkeyPatch) -> None:
    """Have this process receive a signal while it trains `step`."""
    add = training_log.TrainingLog.add

    def add_and_raise(log: training_log.TrainingLog, report: session.Report) -> None:
        add(log, report)
        if report.step == step:
            signal.raise_signal(number)

    patch.setattr(training_log.TrainingLog, "add", add_and_raise)


def _log_steps(run: Path) -> list[int]:
    return [int(row["step"]) for row in _rows(run / "log.csv")]


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []


def _step(run: Path) -> int:
    return int(torch.load(run / "checkpoint.pt", weights_only=True)["step"])


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def _same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_accumulated_batches_are_kept_with_the_run(pictures: Path, ddnc: Ddnc) -> None:
    words = ("train", "--data", pictures, "--config", "tiny", "--steps", 6, "--threads", 1, "--accumulate", 2)
    assert ddnc(*words, "--run", "run").exit_code == 0
    assert session.Plan.load(Path("run/run.json")).recipe().accumulate == 2
