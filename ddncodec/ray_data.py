"""Folders of pictures on a cluster, by Ray Data (`pip install ddncodec[ray]`).

    import ray
    from ddncodec.ray_data import encode_files

    ray.init()
    rows = encode_files("/shared/photos", "/shared/streams", workers=16)

Pictures are read and encoded in actors, so every worker must reach them under the same names; the caller writes the
streams, each by renaming a whole file. Ray repeats the work of a worker that it lost, and nothing is written twice or
by half. Files that fail are reported and do not keep others from being done. `ddnc encode --engine ray` does the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bitstream import DEFAULT_LIMITS, Limits
from ddncodec.batch.encoding import EncodeOptions, encode_group, groups
from ddncodec.batch.existing import Policy, is_encoded_so, settle
from ddncodec.batch.jobs import plan
from ddncodec.batch.outcomes import Outcome
from ddncodec.batch.run import Workers, run
from ddncodec.coding.effort import DEFAULT_EFFORT
from ddncodec.coding.tune import DEFAULT_TUNE
from ddncodec.images.files import SUFFIXES
from ddncodec.zoo import registry


def encode_files(
    root: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    workers: int,
    model: str = "photo",
    quality: float = 50.0,
    coding: str = "coded",
    effort: int = DEFAULT_EFFORT,
    tune: str = DEFAULT_TUNE,
    device: str = "cpu",
    limits: Limits = DEFAULT_LIMITS,
    resume: bool = False,
) -> list[dict[str, Any]]:
    """Encode every picture below the folder `root` to a stream below `output`; returns a row for each.

    Rows have `path`, `bytes` of the stream, and `error`, one line or empty; they are in order of their paths. `workers`
    actors work, each on a GPU of its own if `device` is one. `model` is a name or path that all workers know. With
    `resume`, pictures whose streams are newer and made with the same options are left alone.

    Raises: ModelError where this machine does not know the model, ArgumentError where there is no picture, or two for
    one stream, or Ray is not installed.
    """
    if model.endswith(registry.SUFFIX):
        model = str(Path(model).absolute())
    registry.find(model)
    jobs, failed = plan([Path(root).absolute()], Path(output).absolute(), ".ddn", SUFFIXES, recursive=True)
    options = EncodeOptions(model, device, limits, quality, coding, effort, tune)
    settled, remaining = settle(jobs, Policy(resume=resume), lambda target: is_encoded_so(target, options))
    outcomes = [
        *failed,
        *settled,
        *run(groups(remaining, options), encode_group, options, Workers(workers, "ray", device)),
    ]
    return sorted((_row(outcome) for outcome in outcomes), key=lambda row: str(row["path"]))


def _row(outcome: Outcome) -> dict[str, Any]:
    product, target = outcome.product, outcome.job.target
    size = len(product.data) if product else target.stat().st_size if outcome.error is None else 0
    return {"path": str(outcome.job.source), "bytes": size, "error": outcome.error or ""}
