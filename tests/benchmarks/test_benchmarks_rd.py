"""The command measures what is on disk, once, and in a process that never encoded."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.compare.coding import RESET, CodingProcess
from benchmarks.compare.environment import current_environment
from benchmarks.compare.measure import Job, measure, remaining_jobs
from benchmarks.compare.rivals import Jpeg
from benchmarks.compare.rows import read_rows, write_rows
from benchmarks.datasets import load_picture
from benchmarks.errors import BenchmarkError

REPOSITORY = Path(__file__).parents[2]

FAKE_DDNCODEC = """
    import io
    import pkgutil
    from pathlib import Path
    from types import SimpleNamespace
    from PIL import Image

    __path__ = pkgutil.extend_path(__path__, __name__)  # submodules are the real ones
    __version__ = "0.0"
    encoded = []


    class Codec:
        def __init__(self, model):
            from ddncodec.errors import ModelError
            if model != "photo":
                raise ModelError(f"no model '{model}'")
            self.info = SimpleNamespace(name=model, identity=bytes(8), path=Path(__file__))

        def encode(self, image, *, quality, effort, tune):
            assert effort == 3 and tune == "visual"
            encoded.append(image)
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=max(quality, 1))
            return buffer.getvalue()

        def decode(self, data):
            assert not encoded, "state of the encoder in the decoding process"
            return Image.open(io.BytesIO(data))
"""


def run_rd(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["rd", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result


def test_killed_run_resumes_without_measuring_again(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("--images", pictures, "--codecs", "jpeg", "--out", out)
    run_rd(*arguments)
    csv = out / "rd.csv"
    complete = read_rows(csv)
    assert len(complete) == 2 * len(Jpeg().settings())
    assert {path.name for path in out.iterdir()} == {"rd.csv", "rd.md", "rd.png", "batches", "report.html"}

    marked = [replace(row, encode_seconds=1234.5) for row in complete[:-5]]
    write_rows(csv, marked)
    csv.write_text(csv.read_text() + "drawn2.png,96,6")
    run_rd(*arguments)
    resumed = read_rows(csv)
    assert resumed[: len(marked)] == marked
    assert [row.key for row in resumed] == [row.key for row in complete]
    assert [row.bytes for row in resumed] == [row.bytes for row in complete]


def test_other_codecs_are_added_and_fresh_replaces_only_the_named(pictures: Path, tmp_path: Path) -> None:
    arguments = ("--images", pictures, "--out", tmp_path, "--quiet", "--codecs")
    assert run_rd(*arguments, "jpeg").output == ""
    jpeg = read_rows(tmp_path / "rd.csv")
    run_rd(*arguments, "webp")
    webp = read_rows(tmp_path / "rd.csv")[len(jpeg) :]
    assert {row.codec for row in webp} == {"webp"}
    run_rd(*arguments, "jpeg", "--fresh")
    rows = read_rows(tmp_path / "rd.csv")
    assert rows[: len(webp)] == webp
    assert [row.key for row in rows[len(webp) :]] == [row.key for row in jpeg]


def test_size_is_that_of_the_file_on_disk(pictures: Path, tmp_path: Path) -> None:
    path = pictures / "drawn1.png"
    (row,) = measure(Jpeg(), [Job(path, 50)], current_environment())
    file = tmp_path / "written.jpg"
    file.write_bytes(Jpeg().encode(load_picture(path), 50))
    assert row.bytes == file.stat().st_size
    assert row.bpp == 8 * file.stat().st_size / (96 * 64)


def test_parallel_rows_are_those_of_one_at_a_time_in_order(pictures: Path) -> None:
    jobs = [Job(path, setting) for path in sorted(pictures.iterdir()) for setting in (10, 50, 90)]
    alone, together = (list(measure(Jpeg(), jobs, current_environment(), benches)) for benches in (1, 3))
    assert [row.key for row in together] == [("jpeg", job.path.name, job.setting) for job in jobs]
    assert [(row.bytes, row.psnr) for row in together] == [(row.bytes, row.psnr) for row in alone]


def test_memory_is_that_of_the_process_that_codes(pictures: Path) -> None:
    (row,) = measure(Jpeg(), [Job(pictures / "drawn1.png", 50)], current_environment())
    assert row.command == "Image.save(file, 'JPEG', quality=50, optimize=True, subsampling='4:2:0')"
    if RESET.exists():
        assert row.encode_memory is not None and 10_000_000 < row.encode_memory < 200_000_000  # no torch in there


@dataclass(frozen=True)
class Cores(Jpeg):
    """A file that says how many cores the encoding process may use."""

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return str(len(os.sched_getaffinity(0))).encode()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux keeps a process to a core")
def test_a_process_keeps_to_one_core(picture: Image.Image, tmp_path: Path) -> None:
    for core in (0, 7):
        with CodingProcess(Cores(), core) as process:
            process.encode(picture, 0, tmp_path / "cores")
        assert (tmp_path / "cores").read_bytes() == b"1"


def test_batches_are_the_rows_as_codec_compare_reads_them(pictures: Path, tmp_path: Path) -> None:
    run_rd("--images", pictures, "--out", tmp_path, "--codecs", "jpeg,webp", "--jobs", "2")
    rows = [row for row in read_rows(tmp_path / "rd.csv") if row.codec == "webp"]
    folder = tmp_path / "batches"
    assert json.loads((folder / "index.json").read_text()) == [["jpeg.json"], ["webp.json"]]
    batch = json.loads((folder / "webp.json").read_text())
    for part, values in (("constant", [batch["constant_values"]]), ("field", batch["field_values"])):
        names = [name for description in batch[f"{part}_descriptions"] for name in description]
        assert {len(value) for value in values} == {len(names)}
        if part == "field":
            assert [dict(zip(names, value))["encoded_size"] for value in values] == [row.bytes for row in rows]


def test_rows_of_another_version_are_not_continued(pictures: Path) -> None:
    path = pictures / "drawn1.png"
    (row,) = measure(Jpeg(), [Job(path, 50)], current_environment())
    setting = Jpeg().settings()[0]
    jobs = remaining_jobs(Jpeg(), [path], [replace(row, setting=setting)])
    assert jobs == [Job(path, other) for other in Jpeg().settings()[1:]]
    with pytest.raises(BenchmarkError, match="--fresh"):
        remaining_jobs(Jpeg(), [path], [replace(row, codec_version="another")])


@dataclass(frozen=True)
class Cropping(Jpeg):
    """Loses a column."""

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return Jpeg().encode(image.crop((0, 0, image.width - 1, image.height)), setting)


def test_decoded_picture_of_another_size_is_an_error(pictures: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"drawn1\.png to \(95, 64\), must be \(96, 64\)"):
        list(measure(Cropping(), [Job(pictures / "drawn1.png", 50)], current_environment()))


def test_damaged_file_fails_in_the_decoding_process_with_its_own_error(tmp_path: Path) -> None:
    file = tmp_path / "damaged"
    file.write_bytes(b"not a picture")
    with CodingProcess(Jpeg()) as decoder, pytest.raises(OSError, match="cannot identify"):
        decoder.decode(file)


def test_unknown_codec_is_a_usage_error(pictures: Path, tmp_path: Path) -> None:
    arguments = ["rd", "--images", str(pictures), "--out", str(tmp_path), "--codecs", "gif"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "'gif' is not one of ddnc, ddnc-psnr, jpeg" in result.output


@pytest.fixture
def fake_library(tmp_path: Path) -> Path:
    """A folder with a stand-in of the package ddncodec, which fails where one process both encodes and decodes."""
    package = tmp_path / "fake" / "ddncodec"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(dedent(FAKE_DDNCODEC))
    return package.parent


def run_in_process(path: list[Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*path, REPOSITORY]))}
    command = [sys.executable, "-m", "benchmarks", "rd", *arguments]
    return subprocess.run(command, cwd=path[0], env=environment, capture_output=True, text=True, check=False)


def test_ddnc_is_decoded_by_a_process_that_never_encoded(pictures: Path, tmp_path: Path, fake_library: Path) -> None:
    arguments = ("--images", str(pictures), "--out", str(tmp_path), "--codecs", "ddnc", "--effort", "3")
    result = run_in_process([fake_library], *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # no progress bar: not a terminal
    rows = read_rows(tmp_path / "rd.csv")
    assert len(rows) == 2 * 8
    assert {row.codec_version for row in rows} == {"ddncodec 0.0, model photo 0000000000000000, effort 3, tune visual"}

    result = run_in_process([fake_library], *arguments, "--model", "pohto")
    assert result.returncode == 1
    assert result.stderr == "Error: no model 'pohto'\n"
