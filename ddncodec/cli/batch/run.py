"""Work on many files, in this process or in several; one that fails does not keep the others from being done."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TypeAlias, TypeVar

import click

from ddncodec.cli.batch.jobs import STANDARD, Job, write
from ddncodec.cli.failures import Failure, as_failures

T = TypeVar("T")
QUEUED = 2
"""Groups of files that wait for each process: enough that none is idle, few enough that memory stays flat."""


@dataclasses.dataclass(frozen=True)
class Product:
    """What a job makes: the bytes of its output and what can be told of it.

    `width` and `height` are of the picture; `input_bytes` is the size of what was read; `notices` are lines for the
    user.
    """

    data: bytes
    width: int
    height: int
    input_bytes: int
    notices: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a job ended: with a product, with the line of an error, or skipped with neither.

    With both, it falls short of what was asked for, and is written.
    """

    job: Job
    product: Product | None = None
    error: str | None = None


Work: TypeAlias = Callable[[Sequence[Job]], "list[Outcome]"]
"""Makes the products of a group of jobs. Goes to other processes, so it can be pickled."""
Grouping: TypeAlias = Callable[[Sequence[Job]], Iterable[Sequence[Job]]]
"""Which jobs are worth doing together."""


@dataclasses.dataclass(frozen=True)
class Policy:
    """What to do about outputs that exist: not to `overwrite` them; to `resume` by skipping those newer than inputs.

    `made_so` tells of an output whether it was made as is asked for now, where that can be told.
    """

    overwrite: bool = True
    resume: bool = False
    made_so: Callable[[Path], bool] = lambda target: True

    def settle(self, job: Job) -> Outcome | None:
        """How the job ends without any work, if it does."""
        if job.target == STANDARD or not job.target.exists():
            return None
        if self.resume and _is_newer(job) and self.made_so(job.target):
            return Outcome(job)
        return None if self.overwrite else Outcome(job, error=f"{job.target}: exists, and --no-overwrite is given")


@dataclasses.dataclass(frozen=True)
class Workers:
    """How many processes work, and the engine that starts them: "processes" of this machine, or "ray".

    `device` is where their networks run, which Ray has to know.
    """

    count: int = 1
    engine: str = "processes"
    device: str = "cpu"


def _is_newer(job: Job) -> bool:
    return job.source.exists() and job.target.stat().st_mtime >= job.source.stat().st_mtime


def attempt(job: Job, make: Callable[[], T]) -> T | Outcome:
    """What `make` returns, or how the job ends where that fails."""
    try:
        with as_failures(job.source):
            return make()
    except Failure as failure:
        return Outcome(job, error=failure.message)


def run(jobs: Sequence[Job], grouping: Grouping, work: Work, policy: Policy, workers: Workers) -> Iterator[Outcome]:
    """Do the work of all jobs and write what it makes; outcomes come as jobs end, those without work first.

    Only this process writes, each file by renaming a whole one, so that none of the others can leave half a file.

    Raises click.UsageError where a cluster is to read standard input, ArgumentError where Ray is not installed.
    """
    settled = {job: policy.settle(job) for job in jobs}
    yield from (outcome for outcome in settled.values() if outcome is not None)
    groups = grouping([job for job, outcome in settled.items() if outcome is None])
    if workers.engine == "ray":
        made = _on_ray(list(groups), work, workers)
    else:
        made = map(work, groups) if min(workers.count, len(jobs)) == 1 else _pooled(groups, work, workers.count)
    for outcomes in made:
        yield from map(written, outcomes)


def singly(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    """The grouping of work that gains nothing by it."""
    return ([job] for job in jobs)


def written(outcome: Outcome) -> Outcome:
    """The outcome, once its product is in its place; an error where that fails."""
    product, target = outcome.product, outcome.job.target
    if product is None:
        return outcome
    try:
        with as_failures(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            write(target, product.data)
    except Failure as failure:
        return Outcome(outcome.job, error=failure.message)
    return outcome


def _pooled(groups: Iterable[Sequence[Job]], work: Work, processes: int) -> Iterator[list[Outcome]]:
    remaining = iter(groups)
    threads = max(1, (os.cpu_count() or 1) // processes)
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (threads,)) as pool:
        pending: deque[Future[list[Outcome]]] = deque(
            pool.submit(work, group) for group in islice(remaining, QUEUED * processes)
        )
        try:
            while pending:
                yield pending.popleft().result()
                pending.extend(pool.submit(work, group) for group in islice(remaining, 1))
        except BrokenProcessPool as error:
            raise Failure("a process was killed, for lack of memory perhaps; --resume does what is left") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _on_ray(groups: Sequence[Sequence[Job]], work: Work, workers: Workers) -> Iterator[list[Outcome]]:
    if any(job.source == STANDARD for group in groups for job in group):
        raise click.UsageError("--engine ray reads files, not standard input")
    from ddncodec.ray_data import mapped

    return mapped(work, groups, workers.count, workers.device)


def _begin(threads: int) -> None:
    """Prepare a worker: a share of the processor, a silent end on Ctrl-C, and no life without the parent."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # before what takes long to import, and would tell of a Ctrl-C
    import torch

    torch.set_num_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
