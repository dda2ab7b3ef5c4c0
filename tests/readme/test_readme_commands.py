"""Commands and examples of the README and of the guides run, page by page in order, with a small model.

generation.md needs models of its own and has its own test.
"""

from __future__ import annotations

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
    ("^ddnc bench ", f"ddnc bench --model {TINY} --codecs ddnc,jpeg --quick "),
    ("^python -m benchmarks (rd|batch) ", rf"python -m benchmarks \1 --model {TINY} "),
    (r'Codec\("photo"', 'Codec("tiny"'),
    (r"(ddncodec\.encode\(.*)\)", r'\1, model="tiny")'),
    (r'(\.save\("[^"]*\.ddn")', r'\1, model="tiny"'),
)
"""The whole difference between the pages and what is run here."""
ELSEWHERE = ("pip install .",)
"""Run by `make test` itself."""
MADE = {
    "README.md": "photo.png streams/0.ddn small.ddn",
    "docs/pictures.md": "part.png preview.png small.png levels.webp level01.png",
    "docs/pipelines.md": "streams/0.ddn back/0.webp gray.webp",
    "docs/placeholders.md": "placeholder.png face.ddn results/faces.png",
    "docs/training.md": "runs/mine/mine.safetensors photo.ddn",
    "docs/format.md": "short.ddn",
    "docs/benchmarks.md": "report/report.html results/rd.csv",
}
"""The pages, each with files that its commands and examples make."""


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the photographs of the pages, drawn by code, and one of them encoded."""
    Image.fromarray(draw_picture(120, 160, 1)).save(tmp_path / "photo.jpg", quality=95)
    Image.fromarray(draw_picture(64, 64, 2)).save(tmp_path / "face.png")
    draw_folder(tmp_path / "photos", 2, 64)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDNC_MODEL_PATH", str(TINY.parent))
    release = session.release
    monkeypatch.setattr(session, "release", lambda *words, **options: release(*words, **options, images=4))
    run(["ddnc", "encode", "photo.jpg", "photo.ddn", "--model", "tiny"], monkeypatch)
    return tmp_path


@pytest.mark.parametrize("page", MADE)
def test_commands_and_examples_run_in_order(page: str, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for language, block in blocks(page):
        if language == "python":
            names: dict[str, object] = {}
            exec(compile(block, page, "exec"), names)
            names.get("image", Image.new("L", (1, 1))).close()  # type: ignore[attr-defined]
            continue
        for command in filter(None, block.splitlines()):
            words = shlex.split(command, comments=True)
            if words[0] == "make":
                assert words[1] in targets
            elif command not in ELSEWHERE:
                run(words, monkeypatch)
    for path in MADE[page].split():
        assert (workplace / path).is_file() or list(workplace.glob(path.replace("/0.", "/*."))), path


def test_every_guide_is_run() -> None:
    guides = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert guides - {"docs/generation.md"} == set(MADE) - {"README.md"}


def test_readme_is_short_and_links_to_every_guide() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 180
    for path in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{path.name})" in text


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """Language and text of the blocks of shell and Python in a page, as they are run here."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for language, block in re.findall(r"^```(sh|python)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        for pattern, replacement in SUBSTITUTIONS:
            block = re.sub(pattern, replacement, block, flags=re.MULTILINE)
        yield language, block


def run(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one command in this process; leading VARIABLE=value words are its environment."""
    with monkeypatch.context() as patch:
        while re.match(r"\w+=", words[0]):
            name, _, value = words.pop(0).partition("=")
            patch.setenv(name, value)
        group, words = (ddnc, words[1:]) if words[0] == "ddnc" else (benchmarks, words[3:])
        result = CliRunner().invoke(group, words, catch_exceptions=False)
        assert result.exit_code == 0, f"{shlex.join(words)}\n{result.output}"
