"""`ddnc encode` and `ddnc decode` on many files: where outputs go, what fails alone, and what is left to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cli_cases import TINY, Ddnc, Refused
from click.testing import CliRunner
from drawing import draw_folder
from PIL import Image

import ddncodec
from ddncodec.batch import encoding
from ddncodec.batch.encoding import EncodeOptions
from ddncodec.batch.outcomes import FileJob
from ddncodec.cli.main import main

MODEL = ("--model", "tiny")


@pytest.fixture
def photos(workplace: Path) -> Path:
    """Three pictures, two more in a folder within, and files that are no pictures."""
    folder = draw_folder(workplace / "photos", 3, 24)
    draw_folder(folder / "sea", 2, 40)
    (folder / "notes.txt").write_text("of the journey")
    (folder / ".hidden.png").write_text("half a picture")
    return folder


def made(folder: str) -> set[str]:
    return {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()}


STREAMS = {"drawn000.ddn", "drawn001.ddn", "drawn002.ddn", "sea/drawn000.ddn", "sea/drawn001.ddn"}


def test_folders_keep_their_shape_there_and_back(photos: Path, ddnc: Ddnc) -> None:
    result = ddnc("encode", "-r", photos, "-o", "streams", *MODEL)
    assert (result.exit_code, made("streams")) == (0, STREAMS)
    assert len(result.stdout.splitlines()) == 5
    assert result.stderr.startswith("5 done, ")
    assert ddnc("decode", "-r", "streams", "-o", "back", "--format", "webp", "--quiet").output == ""
    assert made("back") == {name.replace(".ddn", ".webp") for name in STREAMS}
    with Image.open("back/sea/drawn001.webp") as picture:
        assert (picture.format, picture.size) == ("WEBP", (56, 40))


def test_several_files_go_to_a_folder(photos: Path, ddnc: Ddnc) -> None:
    names = sorted(photos.glob("*.png"))
    Path("place").mkdir()
    for words in (("-o", "place/new"), ("place",)):
        assert ddnc("encode", *names[1:], *words, *MODEL).exit_code == 0
        assert made(str(words[-1])) >= {"drawn000.ddn", "drawn001.ddn", "drawn002.ddn"} & {
            f"{name.stem}.ddn" for name in names[1:]
        }


def test_files_in_batches_and_processes_are_those_of_single_commands(photos: Path, ddnc: Ddnc) -> None:
    assert ddnc("encode", "-r", photos, "-o", "many", *MODEL).exit_code == 0
    assert ddnc("encode", "-r", photos, "-o", "pool", "-j", 2, *MODEL).exit_code == 0
    codec = ddncodec.Codec(TINY)
    for name in STREAMS:
        assert ddnc("encode", (photos / name).with_suffix(".png"), "one.ddn", *MODEL).exit_code == 0
        one = codec.planes(Path("one.ddn").read_bytes())
        for folder in ("many", "pool"):
            other = codec.planes(Path(folder, name).read_bytes())
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_equally_large_neighbours_share_a_batch(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = EncodeOptions()
    jobs = [FileJob(path, path.with_suffix(".ddn")) for path in sorted(photos.rglob("*.png")) if path.name[0] != "."]
    missing = FileJob(Path("no.png"), Path("no.ddn"))

    def sizes(*some: FileJob) -> list[int]:
        return [len(group) for group in encoding.groups(some, options)]

    assert sizes(*jobs) == [3, 2]
    assert sizes(missing, *jobs[:2]) == [1, 2]
    monkeypatch.setattr(encoding, "CPU_BATCH", 2 * 24 * 40)
    assert sizes(*jobs) == [2, 1, 1, 1]


def test_a_bad_file_fails_alone(photos: Path, ddnc: Ddnc) -> None:
    (photos / "drawn001.png").write_bytes(b"no picture")
    for processes in (1, 2):
        result = ddnc("encode", "-r", photos, "-o", f"streams{processes}", "-j", processes, *MODEL)
        assert (result.exit_code, made(f"streams{processes}")) == (1, STREAMS - {"drawn001.ddn"})
        error, summary = result.stderr.splitlines()
        assert error == f"ddnc: error: {photos}/drawn001.png: not a picture that Pillow can read"
        assert "4 done, 1 failed" in summary
    (Path("streams1") / "drawn000.ddn").write_bytes(b"no stream")
    result = ddnc("decode", "-r", "streams1", "-o", "back")
    assert (result.exit_code, len(made("back"))) == (1, 3)


def test_json_is_an_object_a_line(photos: Path, ddnc: Ddnc) -> None:
    (photos / "drawn001.png").write_bytes(b"no picture")
    result = ddnc("encode", "-r", photos, "-o", "streams", "--json", *MODEL)
    rows = {Path(row["output"]).name: row for row in map(json.loads, result.stdout.splitlines()[:3])}
    assert len(result.stdout.splitlines()) == 5
    assert rows["drawn001.ddn"]["status"] == "failed"
    assert "Pillow" in rows["drawn001.ddn"]["error"]
    good = rows["drawn000.ddn"]
    assert (good["status"], good["width"], good["height"]) == ("done", 40, 24)
    assert good["output_bytes"] == Path("streams/drawn000.ddn").stat().st_size
    assert good["input_bytes"] == (photos / "drawn000.png").stat().st_size


def test_resuming_does_what_is_missing_or_older(photos: Path, ddnc: Ddnc) -> None:
    words = ("encode", "-r", photos, "-o", "streams", "--resume", "--json", *MODEL)
    assert ddnc(*words).exit_code == 0
    Path("streams/drawn002.ddn").unlink()
    os.utime("streams/sea/drawn000.ddn", (0, 0))
    kept = Path("streams/drawn000.ddn").stat()
    result = ddnc(*words)
    statuses = {row["output"]: row["status"] for row in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 0
    assert {name for name, status in statuses.items() if status == "done"} == {
        "streams/drawn002.ddn", "streams/sea/drawn000.ddn",
    }  # fmt: skip
    assert list(statuses.values()).count("skipped") == 3
    assert Path("streams/drawn000.ddn").stat().st_mtime_ns == kept.st_mtime_ns


def test_resuming_does_again_what_was_made_otherwise(photo: Path, ddnc: Ddnc) -> None:
    size = len(ddncodec.Codec(TINY).encode(Image.open(photo)))

    def status(*options: object) -> str:
        return json.loads(ddnc("encode", photo, "out.ddn", "--resume", "--json", *MODEL, *options).stdout)["status"]

    assert status() == "done"
    for options in (("-q", 20), ("-q", 20, "--coding", "plain"), ("-q", 20, "--base64"), ("-q", 20, "--inline"), ()):
        assert [status(*options), status(*options)] == ["done", "skipped"], options
    for name, fits, exceeds in (("--max-bytes", size, size - 1), ("--bpp", 8 * size / 10800, 8 * (size - 1) / 10800)):
        ddnc("encode", photo, "out.ddn", *MODEL)
        assert [status(name, fits), status(name, exceeds)] == ["skipped", "done"]
    Path("out.ddn").write_text("no stream")
    assert status() == "done"


def test_one_file_is_read_from_standard_input_whatever_the_engine(photo: Path, ddnc: Ddnc, refused: Refused) -> None:
    done = CliRunner().invoke(main, ["encode", "-", "out.ddn", "-j", "2", *MODEL], input=photo.read_bytes())
    assert done.exit_code == 0
    assert "standard input" in refused("encode", "-", "new.ddn", "--engine", "ray", *MODEL, status=2)


def test_a_cluster_needs_ray(photos: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    line = refused("encode", "-r", photos, "-o", "streams", "--engine", "ray", *MODEL)
    assert line == "Ray is not installed here, pip install ddncodec[ray]"


def test_outputs_are_not_overwritten_on_request(photo: Path, ddnc: Ddnc, refused: Refused) -> None:
    Path("out.ddn").write_text("mine")
    assert refused("encode", photo, "out.ddn", "--no-overwrite", *MODEL).startswith("out.ddn: exists")
    assert ddnc("encode", photo, "new.ddn", "--no-overwrite", *MODEL).exit_code == 0


def test_one_output_for_two_inputs_is_refused_before_any_work(photos: Path, refused: Refused) -> None:
    one, other = photos / "drawn000.png", photos / "sea" / "drawn000.png"
    line = refused("encode", one, other, "-o", "streams", *MODEL)
    assert str(one) in line and str(other) in line and "streams/drawn000.ddn" in line
    Image.new("L", (4, 4)).save(photos / "drawn000.bmp")
    assert "drawn000.bmp" in refused("encode", "-r", photos, "-o", "streams", *MODEL)


def test_words_that_make_no_sense(photos: Path, photo: Path, refused: Refused) -> None:
    Path("empty").mkdir()
    for words, complaint in {
        (photos, "-o", "out"): "-r",
        ("-r", "empty", "-o", "out"): "holds no file",
        ("-r", photos, "-o", photo): "must be a folder",
        (photo, photo): "both input and output",
    }.items():
        assert complaint in refused("encode", *words, *MODEL)
    for words, complaint in {
        ("-",): "OUT",
        (photo, photos / "drawn000.png", "out.ddn"): "-o FOLDER",
        (photo, "-", "-o", "out"): "standard input",
        (photo, photos / "drawn000.png", "-o", "-"): "standard output",
        ("-r", photos, "-o", "-"): "standard output",
        ("-", photos): "standard input",
    }.items():
        assert complaint in refused("encode", *words, *MODEL, status=2)


def test_standard_streams(photo: Path, ddnc: Ddnc) -> None:
    runner = CliRunner()
    encoded = runner.invoke(main, ["encode", "-", "-", *MODEL], input=photo.read_bytes(), catch_exceptions=False)
    assert (encoded.exit_code, encoded.stderr) == (0, "")
    assert ddnc("encode", photo, "file.ddn", *MODEL).exit_code == 0
    assert encoded.stdout_bytes == Path("file.ddn").read_bytes()
    reported = runner.invoke(main, ["encode", "-", "-o", "-", "--json", *MODEL], input=photo.read_bytes())
    assert reported.stdout_bytes == encoded.stdout_bytes
    assert json.loads(reported.stderr)["output_bytes"] == len(encoded.stdout_bytes)
    for words, name in (((), "PNG"), (("--format", "jpg"), "JPEG")):
        decoded = runner.invoke(main, ["decode", "-", "-", *words], input=encoded.stdout_bytes)
        Path("out").write_bytes(decoded.stdout_bytes)
        with Image.open("out") as picture:
            assert (picture.format, picture.size) == (name, (120, 90))


def command(*words: str) -> subprocess.Popen[str]:
    """Run `ddnc` as a user would."""
    root = str(Path(ddncodec.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-m", "ddncodec.cli", *words],
        env={**os.environ, "PYTHONPATH": root, "DDNC_MODEL_PATH": str(TINY.parent), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize(("ending", "processes"), [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGKILL, 2)])
def test_an_interrupted_batch_leaves_whole_files_only(workplace: Path, ending: signal.Signals, processes: int) -> None:
    draw_folder(workplace / "photos", 30, 200)
    with command("encode", "-r", "photos", "-o", "streams", "-j", str(processes), *MODEL) as running:
        assert running.stdout is not None and running.stdout.readline().startswith("streams/drawn")
        if ending is signal.SIGINT:
            os.killpg(running.pid, ending)  # as the terminal does
        else:
            running.kill()
        _, error = running.communicate(timeout=120)
    if ending is signal.SIGINT:
        assert (running.returncode, error.strip()) == (130, "ddnc: error: interrupted")
    done = [path for path in Path("streams").iterdir() if path.suffix == ".ddn"]
    assert 1 <= len(done) < 30
    assert all(ddncodec.Codec(TINY).planes(path.read_bytes()) for path in done)
    for _ in range(600):
        if not processes_of(running.pid):
            break
        time.sleep(0.1)
    assert not processes_of(running.pid), "workers outlive the command"


def processes_of(session: int) -> list[int]:
    """Living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, of = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            found += [int(entry.name)] if int(of) == session and state != "Z" else []
    return found


def test_a_bar_on_a_terminal_only(photos: Path, ddnc: Ddnc, monkeypatch: pytest.MonkeyPatch) -> None:
    from ddncodec.cli.batch import reporting

    words = ("encode", "-r", photos, "-o", "streams", *MODEL)
    assert "files/s" not in ddnc(*words, "--quiet").output
    monkeypatch.setattr(reporting, "on_terminal", lambda: True)
    result = ddnc(*words)
    assert result.stdout == ""
    assert "files/s" in result.stderr and "saved" in result.stderr
