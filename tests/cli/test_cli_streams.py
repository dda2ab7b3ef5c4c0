"""Commands that need no model and no torch: info, models, truncate, verify."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import TINY, Ddnc, Refused
from click.testing import CliRunner
from drawing import draw_picture
from PIL import Image

import bitstream
import ddncodec
from ddncodec.cli.main import COMMANDS, main

LIGHT = """
import sys
from ddncodec.cli.main import main
try:
    main({arguments!r}, prog_name="ddnc")
finally:
    print(sorted(set(sys.modules) & {{"torch", "constriction"}}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "slow"),
    [
        (["info", "photo.ddn"], ["constriction"]),
        (["models"], ["constriction"]),
        (["--help"], []),
        (["encode", "--help"], ["constriction"]),
    ],
    ids=["info", "models", "help", "encode"],
)
def test_light_commands_import_nothing_slow(words: list[str], slow: list[str], stream: Path) -> None:
    environment = {"PYTHONPATH": str(Path(ddncodec.__file__).parents[1]), "DDNC_MODEL_PATH": str(TINY.parent)}
    command = [sys.executable, "-c", LIGHT.format(arguments=words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == f"{slow}\n"


def test_info_accounts_for_the_stream(stream: Path, ddnc: Ddnc) -> None:
    found = json.loads(ddnc("info", stream, "--json").stdout)
    size = stream.stat().st_size
    assert (found["model"], found["width"], found["height"], found["total_bytes"]) == ("tiny", 120, 90, size)
    assert found["bits_per_pixel"] == pytest.approx(8 * size / (120 * 90))
    text, end = ddnc("info", stream).stdout, found["passes"][-1]["end"]
    assert size == end + sum(6 + chunk["payload_bytes"] for chunk in found["chunks"])
    for part in ("120 x 90, RGB", f"{size} bytes", "coded", f"{found['model_id']}, tiny", f"{end} in all"):
        assert part in text


def test_info_lists_levels_and_indices(stream: Path, ddnc: Ddnc) -> None:
    codec = ddncodec.Codec(TINY)
    planes = codec.planes(stream.read_bytes())
    found = json.loads(ddnc("info", stream, "--indices", "--json").stdout)
    for level, shape, plane in zip(found["levels"], codec.info.layout, planes, strict=True):
        assert (level["cell"], level["outputs"]) == (shape.cell, shape.outputs)
        assert (level["rows"], level["cols"]) == plane.shape
        assert level["taken"] == (plane != 0).sum()
        assert level["indices"] == plane.tolist()
    payload = sum(each["payload_bytes"] for each in found["passes"])
    assert payload <= sum(level["bytes"] for level in found["levels"]) <= payload + 2 * len(planes)
    text = ddnc("info", stream, "--indices").stdout
    assert "\n".join(" ".join(map(str, row)) for row in planes[-1].tolist()) in text
    assert "indices" not in json.loads(ddnc("info", stream, "--levels", "--json").stdout)["levels"][0]
    lines = [len(ddnc("info", stream, *words).stdout.splitlines()) for words in ((), ("--levels",))]
    assert lines[1] == lines[0] + len(planes)


def test_levels_need_the_model(stream: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DDNC_MODEL_PATH")
    assert "not installed" in refused("info", stream, "--levels")


def test_info_needs_no_model(stream: Path, ddnc: Ddnc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DDNC_MODEL_PATH")
    assert json.loads(ddnc("info", stream, "--json").stdout)["model"] is None
    assert "not installed" in ddnc("info", stream).stdout


def test_models_lists_what_streams_name(stream: Path, ddnc: Ddnc) -> None:
    rows = {row["name"]: row for row in json.loads(ddnc("models", "--json").stdout)}
    assert rows["tiny"]["id"] == json.loads(ddnc("info", stream, "--json").stdout)["model_id"]
    assert rows["tiny"]["bytes"] == TINY.stat().st_size
    assert rows["tiny"]["id"] in ddnc("models").stdout


def test_truncation_meets_its_bounds_and_decodes(ddnc: Ddnc) -> None:
    Image.fromarray(draw_picture(500, 600, 2)).save("large.png")
    assert ddnc("encode", "large.png", "large.ddn", "--coding", "plain", "--model", "tiny").exit_code == 0
    first = json.loads(ddnc("info", "large.ddn", "--json").stdout)["passes"][0]
    for words in (("--levels", first["levels"]), ("--max-bytes", first["end"] + 3)):
        result = ddnc("truncate", "large.ddn", "short.ddn", *words)
        assert result.stdout.startswith(f"short.ddn: {first['end']} bytes, ")
        assert Path("large.ddn").read_bytes().startswith(Path("short.ddn").read_bytes())
    assert ddnc("verify", "short.ddn").stdout == "short.ddn: ok\n"
    assert ddnc("decode", "short.ddn", "short.png").exit_code == 0
    with Image.open("short.png") as short:
        assert short.size == (600, 500)


def test_truncate_cuts_streams_of_one_pass(stream: Path, ddnc: Ddnc, refused: Refused) -> None:
    data, codec = stream.read_bytes(), ddncodec.Codec(TINY)
    assert len(bitstream.describe(data).passes) == 1
    planes = codec.planes(data)
    for levels in range(1, len(planes)):
        assert ddnc("truncate", stream, "short.ddn", "--levels", levels).exit_code == 0
        short = Path("short.ddn").read_bytes()
        assert len(short) < len(data)
        kept = codec.planes(short)
        assert len(kept) == levels and all(np.array_equal(a, b) for a, b in zip(kept, planes))
        assert codec.decode(short).tobytes() == codec.decode(short, levels).tobytes()
    for size in (len(data) // 2, len(data) // 3):
        assert ddnc("truncate", stream, "short.ddn", "--max-bytes", size).exit_code == 0
        assert Path("short.ddn").stat().st_size <= size
    assert "first level" in refused("truncate", stream, "none.ddn", "--max-bytes", 5)


def test_truncate_says_what_metadata_it_cuts_off(photo: Path, ddnc: Ddnc) -> None:
    with Image.open(photo) as picture:
        picture.save("a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", xmp=b"<x:xmpmeta/>")
    assert ddnc("encode", "a.jpg", "a.ddn", "--metadata", "all", "--model", "tiny").exit_code == 0
    result = ddnc("truncate", "a.ddn", "short.ddn", "--levels", 1)
    assert "xmp" in result.stderr
    assert ddnc("truncate", "a.ddn", "whole.ddn", "--max-bytes", 10**6).stderr == ""


def test_standard_input_and_output(stream: Path, ddnc: Ddnc) -> None:
    data, runner = stream.read_bytes(), CliRunner()
    assert ddnc("truncate", stream, "short.ddn", "--max-bytes", len(data), "--quiet").output == ""
    found = runner.invoke(main, ["truncate", "-", "-", "--max-bytes", str(len(data))], input=data)
    assert (found.stdout_bytes, found.stderr) == (Path("short.ddn").read_bytes(), "")
    assert json.loads(runner.invoke(main, ["info", "-", "--json"], input=data).stdout)["total_bytes"] == len(data)
    assert runner.invoke(main, ["verify", "-"], input=data).stdout == "-: ok\n"


def test_verify_continues_after_a_damaged_file(stream: Path, ddnc: Ddnc) -> None:
    Path("bad.ddn").write_bytes(stream.read_bytes()[:-1])
    result = ddnc("verify", "bad.ddn", "missing.ddn", stream)
    assert result.exit_code == 1
    assert result.stdout == f"{stream}: ok\n"
    bad, missing = result.stderr.splitlines()
    assert bad.startswith("ddnc: error: bad.ddn: ")
    assert missing.startswith("ddnc: error: missing.ddn: ")


def test_every_command_has_help_with_examples(ddnc: Ddnc) -> None:
    listing = ddnc("--help").stdout
    assert "Exit status" in listing
    assert "..." not in listing.partition("Commands:")[2].partition("Exit status")[0]
    for command, summary in COMMANDS.items():
        assert re.search(rf"^  {command} +{re.escape(summary)}$", listing, re.MULTILINE)
        if command == "bench":  # its help comes from a process of its own, see test_cli_bench
            continue
        text = ddnc(command, "--help").stdout
        assert summary in text.splitlines()[2]
        assert f"ddnc {command}" in text.partition("Examples:")[2]
    assert ddnc("--version").stdout == f"ddnc {ddncodec.__version__}\n"
