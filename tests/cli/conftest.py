"""A runner of `ddnc` in this process, with the frozen model of the tests installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_cases import GOLDEN, Ddnc
from click.testing import CliRunner
from drawing import draw_picture
from PIL import Image

from ddncodec.cli.main import main


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in its own folder, with the model `tiny` installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDNC_MODEL_PATH", str(GOLDEN))
    return tmp_path


@pytest.fixture
def ddnc() -> Ddnc:
    """Run one command; anything that is not a clean exit propagates."""
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def photo(workplace: Path) -> Path:
    """A colour picture, 120 x 90."""
    path = workplace / "photo.png"
    Image.fromarray(draw_picture(90, 120, 7)).save(path)
    return path


@pytest.fixture
def stream(photo: Path, ddnc: Ddnc) -> Path:
    """The picture as a stream of the model `tiny`."""
    path = photo.with_name("photo.ddn")
    assert ddnc("encode", photo, path, "--model", "tiny", "--quiet").exit_code == 0
    return path


@pytest.fixture
def refused(ddnc: Ddnc, workplace: Path) -> Callable[..., str]:
    """Run a command that must fail with one line and leave every file as it was; returns the line."""

    def run(*words: object, status: int = 1) -> str:
        before = contents(workplace)
        result = ddnc(*words)
        assert (result.exit_code, result.stdout) == (status, "")
        assert contents(workplace) == before
        (line,) = result.stderr.splitlines()
        assert line.startswith("ddnc: error: ")
        return line.removeprefix("ddnc: error: ")

    return run


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
