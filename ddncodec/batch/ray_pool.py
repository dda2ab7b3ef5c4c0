"""Work in actors of a Ray cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from ddncodec.errors import ArgumentError, DdncError

Item = TypeVar("Item")
Options = TypeVar("Options")
Result = TypeVar("Result")


WORKERS_SHARE = 0.9
"""Of the processors that the workers hold at most: what brings them their work needs some of the rest."""


class Worker:
    """The actor: holds the work and its options, in a folder of the same name as the caller's."""

    def __init__(self, work: Callable[[Any, Any], Any], options: object, folder: str) -> None:
        os.chdir(folder)
        self.work, self.options = work, options

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """`item`, a batch of one -> `result`."""
        result = np.empty(1, object)
        result[0] = self.work(batch["item"][0], self.options)
        return {"result": result}


def on_ray(
    items: Iterable[Item], work: Callable[[Item, Options], Result], options: Options, workers: int, device: str = "cpu"
) -> Iterator[Result]:
    """What `work` makes of each item, in any order, each once.

    Ray repeats what a lost worker was at. device: where work is done; each worker on a GPU has one of its own.

    Raises: ArgumentError where Ray is not installed, DdncError where it gives up.
    """
    rows = [{"item": item} for item in items]
    if not rows:
        return
    with _cluster() as ray:
        data = ray.data.from_items(rows)
        data.context.enable_progress_bars = False
        done = data.map_batches(
            Worker,
            fn_constructor_args=(work, options, os.getcwd()),
            batch_size=1,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=min(1.0, WORKERS_SHARE * ray.cluster_resources().get("CPU", 1) / workers),
            num_gpus=int(device.startswith("cuda")),
        )
        try:
            for row in done.iter_rows():
                yield row["result"]
        except ray.exceptions.RayError as error:
            raise DdncError(f"Ray gave up: {str(error).splitlines()[0]}") from error


@contextmanager
def _cluster() -> Iterator[Any]:
    """Yield Ray, connected to the cluster of RAY_ADDRESS or a local one, unless it is connected already."""
    try:
        import ray.data
    except ImportError as error:
        raise ArgumentError("Ray is not installed here, pip install ddncodec[ray]") from error
    if ray.is_initialized():
        yield ray
        return
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.init(logging_level=logging.ERROR, log_to_driver=False)
    try:
        yield ray
    finally:
        ray.shutdown()
