"""Every command and every example of the README does what it says, with a small model in place of the shipped one."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from drawing import draw_folder, draw_picture
from PIL import Image

from benchmarks.__main__ import main as benchmarks
from ddncodec.cli.main import main as ddnc
from ddncodec.cli.training import session

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests/golden/tiny.safetensors"
SUBSTITUTIONS = (
    (r"^ddnc (encode|placeholder) (?!.*--model)", r"ddnc \1 --model tiny "),
    ("--model thumb (?=--bytes 48)", "--model tiny "),
    ("^(python -m benchmarks faces .*)--effort 6", r"\1--effort 1"),
    (r"^ddnc train (?!.*--resume)", "ddnc train --config tiny --steps 5 --threads 1 "),
    ("^ddnc selftest", "ddnc selftest --model tiny"),
    ("^python -m benchmarks speed", f"python -m benchmarks speed --model {TINY} --megapixels 0.01"),
    ("^ddnc bench ", f"ddnc bench --model {TINY} --codecs ddnc,jpeg --views 1 --no-small "),
    ("^python -m benchmarks (rd|batch) ", rf"python -m benchmarks \1 --model {TINY} "),
    (r'Codec\("photo"', 'Codec("tiny"'),
    (r"(ddncodec\.encode\(.*)\)", r'\1, model="tiny")'),
    (r'(\.save\("[^"]*\.ddn")', r'\1, model="tiny"'),
)
"""The whole difference between the README and what is run here."""
ELSEWHERE = ("pip install .",)
"""Run by `make test` itself."""


def blocks(language: str) -> Iterator[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        for pattern, replacement in SUBSTITUTIONS:
            block = re.sub(pattern, replacement, block, flags=re.MULTILINE)
        yield block


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the photographs of the README, drawn by code."""
    Image.fromarray(draw_picture(120, 160, 1)).save(tmp_path / "photo.jpg", quality=95)
    Image.fromarray(draw_picture(64, 64, 2)).save(tmp_path / "face.png")
    draw_folder(tmp_path / "photos", 2, 64)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDNC_MODEL_PATH", str(TINY.parent))
    release = session.release
    monkeypatch.setattr(session, "release", lambda *words, **options: release(*words, **options, images=4))
    return tmp_path


def test_shell_commands_succeed_in_order(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line]
    assert len(commands) > 10
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in commands:
        words = shlex.split(command, comments=True)
        if words[0] == "make":
            assert words[1] in targets
        elif command not in ELSEWHERE:
            run(words, monkeypatch)
    made = "photo.png preview.png small.png placeholder.png runs/mine/mine.safetensors results/rd.csv results/faces.png"
    for path in made.split():
        assert Path(path).is_file()


def test_python_examples_run(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(["ddnc", "encode", "photo.jpg", "photo.ddn", "--model", "tiny"], monkeypatch)
    examples = list(blocks("python"))
    assert len(examples) == 3
    for example in examples:
        names: dict[str, object] = {}
        exec(compile(example, "README.md", "exec"), names)
        names.get("image", Image.new("L", (1, 1))).close()  # type: ignore[attr-defined]
    with Image.open("level01.png") as picture:
        assert picture.size == (160, 120)


def test_links_lead_somewhere_or_are_made_by_the_benchmarks() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.startswith(("https://", "benchmarks/results/")) or (ROOT / target).exists(), target


def run(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one command in this process; leading VARIABLE=value words are its environment."""
    with monkeypatch.context() as patch:
        while re.match(r"\w+=", words[0]):
            name, _, value = words.pop(0).partition("=")
            patch.setenv(name, value)
        group, words = (ddnc, words[1:]) if words[0] == "ddnc" else (benchmarks, words[3:])
        result = CliRunner().invoke(group, words, catch_exceptions=False)
        assert result.exit_code == 0, f"{shlex.join(words)}\n{result.output}\n{os.listdir()}"
