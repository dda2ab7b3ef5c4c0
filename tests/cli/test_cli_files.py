"""Nothing is lost, whatever names, links, devices and permissions files have."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cli_cases import GOLDEN, TINY, Ddnc, Refused
from drawing import draw_folder

import bitstream
import ddncodec
from ddncodec.batch import jobs as planning
from ddncodec.batch.outcomes import FileJob
from ddncodec.errors import ArgumentError

MODEL = ("--model", "tiny")


def is_stream(path: Path | str) -> bool:
    try:
        bitstream.verify(Path(path).read_bytes())
    except (OSError, bitstream.BitstreamError):
        return False
    return True


@pytest.fixture
def names_of_it(photo: Path) -> list[str]:
    """Other names of `photo.png`."""
    Path("deep").mkdir()
    Path("around").symlink_to(".")
    Path("link.png").symlink_to(photo)
    os.link(photo, "hard.png")
    return [str(photo.absolute()), "deep/../photo.png", "./photo.png", "around/photo.png", "link.png", "hard.png"]


def test_no_command_writes_over_its_input(names_of_it: list[str], photo: Path, refused: Refused) -> None:
    for name in names_of_it:
        assert "both input and output" in refused("encode", photo, name, "--force", *MODEL)
        assert "both input and output" in refused("guide", "--task", "colorize", "--input", photo, "-o", name)
        assert "both input and output" in refused("placeholder", photo, "--show", name)
        assert "both input and output" in refused("truncate", photo, name, "--levels", 1)
    assert "both input" in refused("decode", photo, "link.png")


def test_no_output_of_a_batch_is_an_input_of_it(ddnc: Ddnc, refused: Refused, photo: Path) -> None:
    draw_folder(Path("photos"), 2, 24)
    Path("photos/drawn001.ddn").symlink_to("drawn000.png")
    line = refused("encode", "photos/drawn000.png", "photos/drawn001.png", "-o", "photos", *MODEL)
    assert line == "photos/drawn001.ddn: is both input and output (as photos/drawn000.png)"


def test_names_that_differ_in_case_are_one_file_where_folders_fold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [FileJob(Path("a.png"), Path("out/A.ddn")), FileJob(Path("b.png"), Path("out/a.ddn"))]
    planning.check_distinct(found)
    monkeypatch.setattr(planning, "_folds_case", lambda folder: True)
    with pytest.raises(ArgumentError, match="for both"):
        planning.check_distinct(found)


def test_pictures_are_no_outputs_of_encode(photo: Path, ddnc: Ddnc, refused: Refused) -> None:
    Path("other.jpg").write_bytes(b"dear")
    Path("plain").write_bytes(photo.read_bytes())
    for name in ("other.jpg", "new.webp", "plain"):
        for words in ((name,), ("-o", name)):
            assert name in refused("encode", photo, *words, *MODEL)
    assert ddnc("encode", photo, "plain", "--force", *MODEL).exit_code == 0
    assert is_stream("plain")
    assert ddnc("encode", photo, "plain", *MODEL).exit_code == 0


def test_outputs_may_be_left_out(photo: Path, ddnc: Ddnc, refused: Refused) -> None:
    photo.rename("a.tar.png")
    assert ddnc("encode", "a.tar.png", *MODEL).stdout.startswith("a.tar.ddn: ")
    Path("a.tar.png").unlink()
    assert ddnc("decode", "a.tar.ddn").exit_code == 0
    assert ddnc("decode", "a.tar.ddn", "--format", "jpg").exit_code == 0
    assert Path("a.tar.png").exists() and Path("a.tar.jpg").exists()
    assert "OUT" in refused("encode", "-", *MODEL, status=2)


def test_files_next_to_the_input_that_nobody_named_are_kept(photo: Path, ddnc: Ddnc, refused: Refused) -> None:
    """The picture that a stream was made from has the name of the picture that is decoded from it."""
    assert ddnc("encode", photo, *MODEL).exit_code == 0
    assert "exists next to" in refused("encode", photo, "-q", 20, *MODEL)
    for words in ((), ("-o", photo.parent), ("-r", photo.parent, "-o", photo.parent)):
        assert "exists next to" in refused("decode", *words, *(() if "-r" in words else ["photo.ddn"]), "--quiet")
    original = photo.read_bytes()
    assert ddnc("decode", "photo.ddn", "--resume").exit_code == 1
    assert ddnc("decode", "photo.ddn", "-o", "elsewhere/").exit_code == 0
    assert photo.read_bytes() == original
    for words in (("photo.ddn", "photo.png"), ("photo.ddn", "--overwrite")):
        photo.write_bytes(original)
        assert ddnc("decode", *words).exit_code == 0
        assert photo.read_bytes() != original


def test_a_slash_at_the_end_means_a_folder(photo: Path, ddnc: Ddnc) -> None:
    for words in (("new/",), ("-o", "other/")):
        assert ddnc("encode", photo, *words, *MODEL).exit_code == 0
        assert is_stream(f"{words[-1]}photo.ddn")
    assert ddnc("decode", "new/photo.ddn", "back/").exit_code == 0
    assert Path("back/photo.png").is_file()


def test_links_are_followed_and_permissions_stay(photo: Path, ddnc: Ddnc, refused: Refused) -> None:
    Path("place").mkdir()
    Path("place/real").write_text("old")
    Path("place/real").chmod(0o640)
    Path("link.ddn").symlink_to("place/real")
    Path("dangling.ddn").symlink_to("place/new")
    for name, real in (("link.ddn", "place/real"), ("dangling.ddn", "place/new")):
        assert ddnc("encode", photo, name, *MODEL).exit_code == 0
        assert Path(name).is_symlink() and is_stream(real)
    assert stat.S_IMODE(Path("place/real").stat().st_mode) == 0o640
    Path("loop.ddn").symlink_to("loop.ddn")
    assert "loop.ddn" in refused("encode", photo, "loop.ddn", *MODEL)


def test_new_files_have_the_permissions_of_the_umask(photo: Path, ddnc: Ddnc) -> None:
    before = os.umask(0o027)
    try:
        assert ddnc("encode", photo, "out.ddn", *MODEL).exit_code == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("out.ddn").stat().st_mode) == 0o640


def test_fifos_are_written_to(photo: Path, stream: Path, ddnc: Ddnc) -> None:
    os.mkfifo("pipe")
    got: list[bytes] = []
    for words in (("encode", photo, "pipe", *MODEL), ("truncate", stream, "pipe", "--max-bytes", 10**6)):
        reader = threading.Thread(target=lambda: got.append(Path("pipe").read_bytes()))
        reader.start()
        assert ddnc(*words, "--quiet").exit_code == 0
        reader.join(timeout=30)
        bitstream.verify(got[-1])
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)


def test_what_is_no_file_in_a_folder_fails_alone(photo: Path, ddnc: Ddnc) -> None:
    folder = draw_folder(Path("photos"), 2, 24)
    os.mkfifo(folder / "a.png")
    (folder / "gone.png").symlink_to("nowhere")
    Path("streams/drawn000.ddn").mkdir(parents=True)
    result = ddnc("encode", "-r", folder, "-o", "streams", *MODEL)
    assert result.exit_code == 1
    assert is_stream("streams/drawn001.ddn")
    for name in ("a.png", "gone.png", "streams/drawn000.ddn"):
        assert name in result.stderr
    assert "1 done, 3 failed" in result.stderr


def test_resuming_passes_by_outputs_that_cannot_be_read(ddnc: Ddnc) -> None:
    folder = draw_folder(Path("photos"), 3, 24)
    words = ("encode", "-r", folder, "-o", "streams", "--resume", "--json", *MODEL)
    Path("streams/drawn001.ddn").mkdir(parents=True)
    rows = {row["status"] for row in map(json.loads, ddnc(*words).stdout.splitlines())}
    assert rows == {"done", "failed"}
    assert is_stream("streams/drawn000.ddn") and is_stream("streams/drawn002.ddn")


@pytest.mark.parametrize("name", [b"\xff\xfe caf\xe9", b"a\nb", "ä語".encode(), b"x" * 251, b"-", b"two  blanks "])
def test_names_of_any_bytes(name: bytes, photo: Path, ddnc: Ddnc) -> None:
    Path("in").mkdir()
    source = Path("in", os.fsdecode(name + b".png"))
    source.write_bytes(photo.read_bytes())
    (source.parent / f"_{os.fsdecode(name[:200])}.png").write_bytes(b"no picture")
    for words in ((), ("--json",)) if name[:1] != b"\xff" else (("-j", 2),):
        result = ddnc("encode", "-r", "in", "-o", "out", *words, *MODEL)
        assert (result.exit_code, os.listdir("out")) == (1, [os.fsdecode(name + b".ddn")])


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-", ">&-"])
def test_work_is_done_without_standard_streams(closed: str, photo: Path) -> None:
    run = shell(f"encode photo.png out.ddn --quiet --model tiny {closed}")
    assert run.returncode == 0
    assert is_stream("out.ddn")


@pytest.mark.parametrize(
    "words", ["encode - out.ddn --model tiny <&-", "encode photo.png - --model tiny >&-", "info - <&-"]
)
def test_closed_standard_streams_are_refused_in_a_line(words: str, photo: Path) -> None:
    run = shell(words)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.endswith("is closed")


def test_a_full_device_is_one_line(photo: Path) -> None:
    for words in (
        "--help",
        "--version",
        "models",
        "encode photo.png - --model tiny",
        "encode photo.png o.ddn --model tiny",
    ):
        run = shell(f"{words} > /dev/full")
        assert run.returncode == 1, words
        (line,) = run.stderr.splitlines()
        assert "No space left" in line
    assert shell("info nothing 2> /dev/full").returncode == 1


def test_python_runs_the_package(photo: Path) -> None:
    for module in ("ddncodec", "ddncodec.cli"):
        assert shell("--version", module).stdout == f"ddnc {ddncodec.__version__}\n"


def shell(words: str, module: str = "ddncodec") -> subprocess.CompletedProcess[str]:
    """Run `ddnc` with words and redirections as a shell takes them."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(ddncodec.__file__).parents[1]),
        "DDNC_MODEL_PATH": str(TINY.parent),
    }
    command = f"{sys.executable} -m {module} {words}"
    return subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=120)


SLOW_IMPORT = """
import os, signal, sys
from ddncodec.cli import start
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["ddnc", *{words!r}]
start.start()
"""


@pytest.mark.parametrize("module", ["click", "numpy", "constriction", "PIL.Image", "torch", "tempfile"])
def test_interrupts_while_modules_are_imported_end_quietly(module: str, photo: Path) -> None:
    code = SLOW_IMPORT.format(module=module, words=["encode", "photo.png", "out.ddn", "--model", "tiny"])
    environment = {**os.environ, "PYTHONPATH": str(Path(ddncodec.__file__).parents[1]), "DDNC_MODEL_PATH": str(GOLDEN)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (-signal.SIGINT, "") or "out.ddn" in run.stdout
    assert not list(Path().glob(".ddnc*"))
