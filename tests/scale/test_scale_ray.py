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
from PIL import Image

from ddncodec.codec import Codec

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra `ray`")
HERE = Path(__file__).parent


def test_a_killed_worker_loses_and_doubles_nothing(tmp_path: Path, tiny_path: Path, tiny_codec: Codec) -> None:
    root, output = draw_folder(tmp_path / "photos", 8, 32), tmp_path / "streams"
    draw_folder(root / "deeper", 2, 24)
    (root / "broken.png").write_bytes(b"no picture")
    words = [sys.executable, str(HERE / "losing_a_worker.py"), str(root), str(output), str(tiny_path)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=500)
    assert run.returncode == 0, run.stderr[-3000:]
    assert (output / "killed").exists()
    rows = json.loads(run.stdout.splitlines()[-1])
    pictures = sorted(root.rglob("drawn*.png"))
    assert [row["path"] for row in rows] == sorted(map(str, root.rglob("*.png")))
    assert [row["path"] for row in rows if row["error"]] == [str(root / "broken.png")]
    streams = {path.relative_to(output): path.read_bytes() for path in output.rglob("*.ddn")}
    assert streams.keys() == {path.relative_to(root).with_suffix(".ddn") for path in pictures}
    for path in pictures:
        with Image.open(path) as picture:
            assert streams[path.relative_to(root).with_suffix(".ddn")] == tiny_codec.encode(picture)
