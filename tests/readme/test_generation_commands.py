"""Every command and example of generation.md runs, on the shipped small models and on few, drawn pictures."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from drawing import draw_folder, draw_picture
from PIL import Image
from small_models import save_one_cell

from benchmarks.__main__ import main as benchmarks
from benchmarks.experiments import density, options
from ddncodec.cli.main import main as ddnc

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests/golden/tiny.safetensors"
TEXT = (ROOT / "docs/generation.md").read_text(encoding="utf-8")
SUBSTITUTIONS = (
    ("^(python docs/.*)", rf"\1 --model {TINY} --limit 1"),
    ("--samples 10", "--samples 1 --pool 4"),
    ("(--model face64) --count 18", r"\1 --count 2"),
    ("^(python -m benchmarks guidance)", r"\1 --model small.safetensors --pool 2"),
    ("--limit 8", "--limit 1"),
    ("^(python -m benchmarks options.*) --steps 400", r"\1 --steps 1 --digits 5"),
    ("--queries 20 --stored 80", "--queries 5 --stored 5"),
    ("--queries 500 --stored 5000", "--queries 5 --stored 15"),
    ("--model face64 --label before --queries 250", "--model small.safetensors --label before --queries 5"),
    ("^(python -m benchmarks density.*)", r"\1 --points 20 --steps 2"),
    ("--steps 40", "--steps 2"),
)
"""The whole difference between the page and what is run here: less of everything, and a model that is quickly asked."""


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the page starts from."""
    monkeypatch.setattr(options, "START_CROPS", 200)
    every = options.recipes
    monkeypatch.setattr(options, "recipes", lambda steps: dict(list(every(steps).items())[:2]))
    monkeypatch.chdir(tmp_path)
    draw_folder(tmp_path / "photos", 1, 32)
    for folder in ("faces", "others"):
        (tmp_path / folder).mkdir()
        Image.fromarray(draw_picture(64, 64, len(folder))).save(tmp_path / folder / "face.png")
    save_one_cell(tmp_path / "small.safetensors", 64)
    torn = Image.new("RGBA", (28, 28), (0, 0, 0, 0))
    torn.paste((255, 255, 255, 255), (12, 4, 16, 14))
    torn.save(tmp_path / "torn.png")
    random = np.random.default_rng(0)
    for name, side in (("mnist/train.zip", 28), ("mnist/test.zip", 28), ("faces64/valid.zip", 64)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for number in range(20):
                data = io.BytesIO()
                Image.fromarray(random.integers(0, 256, (side, side), np.uint8)).save(data, "PNG")
                archive.writestr(f"{number}_{number // 2}.png", data.getvalue())
    return tmp_path


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_shell_commands_succeed_in_order(workplace: Path) -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 16
    for command in commands:
        for pattern, replacement in SUBSTITUTIONS:
            command = re.sub(pattern, replacement, command)
        words = shlex.split(command)
        if words[1].startswith("docs/"):
            subprocess.run(
                [sys.executable, str(ROOT / words[1]), *words[2:]],
                check=True,
                timeout=300,
                env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            )
            continue
        group, words = (ddnc, words[1:]) if words[0] == "ddnc" else (benchmarks, words[3:])
        result = CliRunner().invoke(group, words, catch_exceptions=False)
        assert result.exit_code == 0, f"{command}\n{result.output}"
    made = "samples faces classes seven tree whole another results/digits results/guidance results/density"
    for name in [*made.split(), "results/options", "retrieval", "tuned/tuned"]:
        assert (workplace / f"{name}.png").is_file()
    assert (workplace / "results" / density.TABLE_NAME).is_file()


def test_python_examples_run(workplace: Path) -> None:
    names: dict[str, object] = {}
    for example in blocks("python"):
        exec(compile(example, "generation.md", "exec"), names)
    assert isinstance(names["fat"], np.ndarray) and names["fat"].shape == (28, 28, 3)
    assert isinstance(names["decoded"], Image.Image) and names["decoded"].size == (28, 28)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert target.startswith("https://") or (ROOT / "docs" / target).exists(), target
