"""How many processor cores the network computes on, so that threads neither wait for each other nor for other programs.

torch's threads wait busily for the slowest of them. Where another program keeps a core busy, or numpy has threads of
its own, that costs many times what the threads gain. So one call takes the cores that are free when it begins, several
calls at once share them, and numpy's matrix products stay on one core meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

CGROUP = Path("/sys/fs/cgroup")
RUNNING = Path("/proc/stat")


class _Shared:
    """What the calls of this process have in common; a child made by `fork` begins with a new one."""

    def __init__(self, forked: bool = False) -> None:
        self.lock = threading.Lock()
        self.calls = 0
        self.restore: list[Any] = []
        self.forked = forked
        self.inside = threading.local()


_shared = _Shared()


@contextmanager
def computing(threads: int | None = None) -> Iterator[None]:
    """Compute on `threads` cores within, and with numpy on one; may be nested.

    None: on the cores that are free, at most as many as torch is set to, which follows OMP_NUM_THREADS.

    In a child made by `fork` there is one thread: those of the parent do not exist there, and waiting for them would
    never end.
    """
    shared = _shared
    if getattr(shared.inside, "yes", False):
        yield
        return
    import torch

    with shared.lock:
        if not shared.calls:
            shared.restore = [_numpy_on_one_core()]
        shared.calls += 1
        calls = shared.calls
    shared.inside.yes, before = True, torch.get_num_threads()
    count = 1 if shared.forked else threads or max(1, min(before, free_cores() // calls))
    try:
        if count != before:
            torch.set_num_threads(count)
        yield
    finally:
        shared.inside.yes = False
        if count != before:
            torch.set_num_threads(before)
        with shared.lock:
            shared.calls -= 1
            if not shared.calls:
                shared.restore.pop().restore_original_limits()


def usable_cores() -> int:
    """Cores that this process may use: of its affinity, and at most what a control group (Linux, v1 or v2) grants."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _granted_cores()))


def free_cores() -> int:
    """Usable cores less those that other threads of this machine keep busy at this moment; at least 1."""
    try:
        running = next(int(line.split()[1]) for line in RUNNING.read_text().splitlines() if line[:5] == "procs")
    except (OSError, StopIteration, ValueError, IndexError):
        return usable_cores()
    return max(1, min(usable_cores(), (os.cpu_count() or 1) - (running - 1)))


def _granted_cores() -> int:
    """Whole cores that the control group of this process grants, rounded up; a million where it sets no limit."""
    quotas = [_numbers(CGROUP / "cpu.max")]
    quotas.append(_numbers(CGROUP / "cpu/cpu.cfs_quota_us") + _numbers(CGROUP / "cpu/cpu.cfs_period_us"))
    grants = [-(-quota[0] // quota[1]) for quota in quotas if len(quota) == 2 and min(quota) > 0]
    return min([1_000_000, *grants])


def _numbers(path: Path) -> list[int]:
    """The whole numbers in a file of the kernel; none where it does not exist or says "max"."""
    try:
        return [int(word) for word in path.read_text().split()]
    except (OSError, ValueError):
        return []


def _numpy_on_one_core() -> Any:
    """Limit the threads of BLAS libraries; the result restores what they were."""
    return _controller().limit(limits=1, user_api="blas")


@cache
def _controller() -> Any:
    import numpy  # noqa: F401, whose library is to be found
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def _after_fork() -> None:
    global _shared
    _shared = _Shared(forked=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
