"""On a cluster that loses a worker on the way, every picture is encoded once and as on one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from drawing import draw_folder
from losing_a_worker import NOT_STARTED
from PIL import Image

from ddncodec.batch.ray_pool import on_ray
from ddncodec.codec import Codec
from ddncodec.errors import ArgumentError
from ddncodec.ray_data import encode_files

HERE = Path(__file__).parent
LIMIT = 300
"""Seconds; an idle machine needs a fraction of them."""
PATIENCE = {
    "RAY_agent_register_timeout_ms": "300000", "RAY_worker_register_timeout_seconds": "300",
    "RAY_health_check_timeout_ms": "60000",
}  # fmt: skip
"""Of Ray, for machines with other things to do."""


def test_folders_that_cannot_be_done_are_refused_before_ray_starts(tmp_path: Path, tiny_path: Path) -> None:
    for named, complaint in (([], "holds no file"), (["a.png", "a.jpg"], "for both")):
        for name in named:
            (tmp_path / name).touch()
        with pytest.raises(ArgumentError, match=complaint):
            encode_files(str(tmp_path), str(tmp_path / "out"), workers=1, model=str(tiny_path))


def test_no_work_needs_no_cluster() -> None:
    assert list(on_ray([], max, 0, workers=2)) == []


def test_a_killed_worker_loses_and_doubles_nothing(tmp_path: Path, tiny_path: Path, tiny_codec: Codec) -> None:
    if find_spec("ray") is None:
        pytest.skip("needs the extra `ray`")
    root, recipe, command = draw_folder(tmp_path / "photos", 8, 32), tmp_path / "recipe", tmp_path / "command"
    draw_folder(root / "deeper", 2, 24)
    (root / "broken.png").write_bytes(b"no picture")
    words = [sys.executable, HERE / "losing_a_worker.py", root, recipe, command, tiny_path]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1", **PATIENCE}
    try:
        run = subprocess.run(map(str, words), capture_output=True, text=True, env=environment, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        pytest.skip(f"the machine is too busy: a cluster of two workers needs more than {LIMIT} seconds")
    if run.returncode == NOT_STARTED:
        pytest.skip(f"Ray does not start here: {run.stderr.splitlines()[-1]}")
    assert run.returncode == 0, run.stderr[-3000:]
    # Ray writes what its workers say to the same place
    reported = json.loads(next(line for line in run.stdout.splitlines() if line.startswith('{"rows"')))
    pictures = sorted(root.rglob("drawn*.png"))
    assert [row["path"] for row in reported["rows"]] == sorted(map(str, root.rglob("*.png")))
    assert [row["path"] for row in reported["rows"] if row["error"]] == [str(root / "broken.png")]
    assert reported["status"] == 1, "broken.png"
    lines = [line for line in run.stdout.splitlines() if line.startswith(f"{command}/")]
    assert len(lines) == len(set(lines)) == len(pictures)
    for output in (recipe, command):
        assert (output / "killed").exists()
        streams = {path.relative_to(output): path.read_bytes() for path in output.rglob("*.ddn")}
        assert streams.keys() == {path.relative_to(root).with_suffix(".ddn") for path in pictures}
        for path in pictures:
            with Image.open(path) as picture:
                assert streams[path.relative_to(root).with_suffix(".ddn")] == tiny_codec.encode(picture)
