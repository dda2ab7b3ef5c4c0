"""Work on many files, in this process or in several; this process writes all outputs."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import TypeAlias, TypeVar

from ddncodec.batch.outcomes import FileJob, Outcome, failing_alone
from ddncodec.errors import DdncError
from ddncodec.files import write_file

Options = TypeVar("Options")
Group: TypeAlias = "Sequence[FileJob]"
Work: TypeAlias = Callable[[Group, Options], "list[Outcome]"]
"""Makes the products of a group of jobs: `encode_group` or `decode_group`. Other processes find it by its name."""
QUEUED = 2
"""Groups of files that wait for each process: enough that none is idle, few enough that memory stays flat."""


@dataclasses.dataclass(frozen=True)
class Workers:
    """How many processes work, and the engine that starts them: "processes" of this machine, or "ray".

    `device` is where their networks run, which Ray has to know.
    """

    count: int = 1
    engine: str = "processes"
    device: str = "cpu"


def run(groups: Iterable[Group], work: Work[Options], options: Options, workers: Workers) -> Iterator[Outcome]:
    """Do the work of all groups and write what it makes; outcomes come as groups end.

    Only this process writes, each file by renaming a whole one, so that no other process can leave half a file.

    Raises ArgumentError where Ray is not installed, DdncError where workers were killed.
    """
    if workers.engine == "ray":
        from ddncodec.batch.ray_pool import on_ray

        made = on_ray(groups, work, options, workers.count, workers.device)
    elif workers.count == 1:
        made = (work(group, options) for group in groups)
    else:
        made = _in_processes(groups, work, options, workers.count)
    for outcomes in made:
        for outcome in outcomes:
            yield written(outcome)


def written(outcome: Outcome) -> Outcome:
    """The outcome, once its product is in its place; an error where that fails."""
    if outcome.product is None:
        return outcome
    job, outcomes = outcome.job, {outcome.job: outcome}
    with failing_alone(job, outcomes, job.target):
        job.target.parent.mkdir(parents=True, exist_ok=True)
        write_file(job.target, outcome.product.data)
    return outcomes[job]


def _in_processes(
    groups: Iterable[Group], work: Work[Options], options: Options, processes: int
) -> Iterator[list[Outcome]]:
    remaining = iter(groups)
    threads = max(1, (os.cpu_count() or 1) // processes)
    first = list(islice(remaining, QUEUED * processes))
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (threads,)) as pool:
        with _interrupts_blocked():
            pending: deque[Future[list[Outcome]]] = deque(pool.submit(work, group, options) for group in first)
        try:
            while pending:
                yield pending.popleft().result()
                pending.extend(pool.submit(work, group, options) for group in islice(remaining, 1))
        except BrokenProcessPool as error:
            raise DdncError("a process was killed, for lack of memory perhaps; --resume does what is left") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Start processes with Ctrl-C blocked, until `_begin`: their first imports would end with tracebacks."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(threads: int) -> None:
    """Prepare a worker: a share of the processor, a silent end on Ctrl-C, and no life without the parent."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    import torch

    torch.set_num_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
