"""`ddnc encode` and `ddnc decode`: what goes in comes out, in whatever process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import TINY, Ddnc
from drawing import draw_picture
from PIL import Image

import ddncodec


def test_another_process_decodes_the_same_indices_and_picture(photo: Path, ddnc: Ddnc) -> None:
    command = [sys.executable, "-m", "ddncodec.cli", "encode", "photo.png", "there.ddn", "--model", "tiny"]
    repository = Path(ddncodec.__file__).parents[1]
    done = subprocess.run(
        command,
        env={"PYTHONPATH": str(repository), "DDNC_MODEL_PATH": str(TINY.parent), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ddnc("encode", photo, "here.ddn", "--model", TINY, "--quiet").exit_code == 0
    codec = ddncodec.Codec(TINY)
    there, here = Path("there.ddn").read_bytes(), Path("here.ddn").read_bytes()
    assert all(np.array_equal(a, b) for a, b in zip(codec.planes(there), codec.planes(here), strict=True))
    assert done.stdout == f"there.ddn: {len(there)} bytes, {8 * len(there) / (120 * 90):.4f} bpp\n"

    assert ddnc("decode", "there.ddn", "decoded.png").exit_code == 0
    with Image.open("decoded.png") as decoded:
        assert (decoded.size, decoded.mode) == ((120, 90), "RGB")
        assert np.array_equal(np.asarray(decoded), np.asarray(codec.decode(there)))


@pytest.mark.parametrize("size", [(1, 1), (17, 5), (64, 64)])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_pictures_of_any_size_and_mode_keep_their_size(size: tuple[int, int], mode: str, ddnc: Ddnc) -> None:
    picture = Image.fromarray(draw_picture(size[1], size[0], 3)).convert(mode)
    picture.save("in.png")
    assert ddnc("encode", "in.png", "out.ddn", "--model", "tiny").exit_code == 0
    assert ddnc("decode", "out.ddn", "out.png").exit_code == 0
    with Image.open("out.png") as decoded:
        assert (decoded.size, decoded.mode) == (size, "L" if mode == "L" else "RGB"), "nothing is transparent"


def test_better_quality_costs_more_bytes(photo: Path, ddnc: Ddnc) -> None:
    sizes = []
    for quality in (0, 25, 50, 75, 100):
        assert ddnc("encode", photo, "out.ddn", "-q", quality, "--model", "tiny").exit_code == 0
        sizes.append(Path("out.ddn").stat().st_size)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_plain_and_coded_streams_decode_to_the_same_picture(photo: Path, ddnc: Ddnc) -> None:
    for coding in ("plain", "coded"):
        result = ddnc("encode", photo, f"{coding}.ddn", "--coding", coding, "--model", "tiny", "--quiet")
        assert (result.exit_code, result.output) == (0, "")
        assert ddnc("decode", f"{coding}.ddn", f"{coding}.png").exit_code == 0
    assert Path("coded.ddn").stat().st_size < Path("plain.ddn").stat().st_size
    assert Path("coded.png").read_bytes() == Path("plain.png").read_bytes()


def test_fewer_levels_are_a_whole_but_worse_picture(photo: Path, stream: Path, ddnc: Ddnc) -> None:
    assert ddnc("decode", stream, "all.png").exit_code == 0
    assert ddnc("decode", stream, "one.png", "--levels", 1).exit_code == 0
    original = np.asarray(Image.open(photo), np.float64)
    errors = [np.mean((np.asarray(Image.open(name)) - original) ** 2) for name in ("one.png", "all.png")]
    assert errors[0] > errors[1]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff", ".PNG"])
def test_the_suffix_chooses_the_format(suffix: str, stream: Path, ddnc: Ddnc) -> None:
    target = Path(f"out{suffix}")
    assert ddnc("decode", stream, target).exit_code == 0
    with Image.open(target) as decoded:
        assert decoded.format == Image.registered_extensions()[suffix.lower()]
        assert decoded.size == (120, 90)


def test_torn_streams_decode_on_request_only(ddnc: Ddnc) -> None:
    Image.fromarray(draw_picture(500, 600, 2)).save("large.png")
    assert ddnc("encode", "large.png", "large.ddn", "--coding", "plain", "--model", "tiny").exit_code == 0
    passes = json.loads(ddnc("info", "large.ddn", "--json").stdout)["passes"]
    assert len(passes) > 1
    Path("torn.ddn").write_bytes(Path("large.ddn").read_bytes()[: passes[0]["end"] + 5])
    assert ddnc("decode", "torn.ddn", "torn.png").exit_code == 1
    assert ddnc("decode", "torn.ddn", "torn.png", "--allow-partial").exit_code == 0
    assert ddnc("decode", "large.ddn", "first.png", "--levels", passes[0]["levels"]).exit_code == 0
    assert Path("torn.png").read_bytes() == Path("first.png").read_bytes()


def test_existing_outputs_are_replaced(stream: Path, ddnc: Ddnc) -> None:
    Path("out.png").write_text("old")
    assert ddnc("decode", stream, "out.png").exit_code == 0
    assert re.match(rb"\x89PNG", Path("out.png").read_bytes())
    assert {path.name for path in Path.cwd().iterdir()} == {"photo.png", "photo.ddn", "out.png"}
