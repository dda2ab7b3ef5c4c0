"""One call takes the cores that are free, calls at once share them, and a child made by `fork` computes on one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_info

from ddncodec.coding import threads

FORK = """
import os, sys
import numpy as np, torch, ddncodec
torch.set_num_threads(2)
picture = np.arange(96 * 128 * 3, dtype=np.uint32).reshape(96, 128, 3).astype(np.uint8)
codec = ddncodec.Codec(sys.argv[1], threads=2)
expected = codec.encode(picture, effort=1)
child = os.fork()
if not child:
    os._exit(0 if codec.encode(picture, effort=1) == expected and codec.decode(expected).size == (128, 96) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four free cores, and a torch that would take them all."""
    monkeypatch.setattr(threads, "free_cores", lambda: 4)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The counts that torch is set to."""
    found: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", found.append)
    return found


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.mark.usefixtures("four")
def test_torch_is_set_within_and_restored_after(counts: list[int]) -> None:
    with threads.computing(3):
        assert counts == [3]
        with threads.computing(2):
            assert counts == [3], "the outer call has decided"
    assert counts == [3, 4]


@pytest.mark.usefixtures("four")
def test_calls_at_once_share_the_free_cores(counts: list[int]) -> None:
    def call() -> None:
        with threads.computing():
            pass

    with threads.computing():
        assert counts == [], "all four, as it was"
        other = threading.Thread(target=call)
        other.start()
        other.join()
    assert counts == [2, 4]


@pytest.mark.usefixtures("counts")
def test_busy_cores_are_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(threads, "RUNNING", tmp_path / "stat")
    monkeypatch.setattr(threads, "usable_cores", lambda: 4)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    for running, free in ((1, 4), (2, 3), (4, 1), (99, 1)):
        (tmp_path / "stat").write_text(f"cpu 1 2 3\nprocs_running {running}\nprocs_blocked 0\n")
        assert threads.free_cores() == free
    (tmp_path / "stat").unlink()
    assert threads.free_cores() == 4, "where the system does not say"


@pytest.mark.parametrize(
    ("name", "text", "cores"),
    [("cpu.max", "150000 100000", 2), ("cpu.max", "max 100000", 64), ("cpu.max", "50000 100000", 1)],
)
def test_limits_of_control_groups_hold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, text: str, cores: int
) -> None:
    monkeypatch.setattr(threads, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(64), raising=False)
    (tmp_path / name).write_text(text)
    assert threads.usable_cores() == cores


def test_numpy_multiplies_on_one_core_within() -> None:
    before = blas_threads()
    with threads.computing():
        assert blas_threads() == {1}
    assert blas_threads() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_codec_made_before_a_fork_works_in_the_child(tiny_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    run = subprocess.run(
        [sys.executable, "-c", FORK, str(tiny_path)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.stdout.strip() == "0", run.stderr
