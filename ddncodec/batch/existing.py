"""What happens to outputs that exist: they are replaced, refused, or kept where they are what is asked for."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import bitstream
from bitstream import Header
from ddncodec.batch.decoding import from_base64
from ddncodec.batch.encoding import EncodeOptions
from ddncodec.batch.jobs import output_complaint
from ddncodec.batch.outcomes import FileJob, Outcome, failing_alone
from ddncodec.files import STANDARD, is_special


@dataclasses.dataclass(frozen=True)
class Policy:
    """Whether outputs that exist may be replaced, and whether to `resume`: keep those that are newer than inputs.

    `keep_neighbours`: those in the folder of their input are not replaced, for they may be what that was made from.
    """

    overwrite: bool = True
    resume: bool = False
    keep_neighbours: bool = False


def settle(
    jobs: Sequence[FileJob], policy: Policy, is_up_to_date: Callable[[Path], bool]
) -> tuple[list[Outcome], list[FileJob]]:
    """Outcomes of jobs that need no work or cannot be written, and the other jobs.

    `is_up_to_date` says of an output whether it was made with the options of now, as far as a file can say.
    """
    settled: dict[FileJob, Outcome] = {}
    for job in jobs:
        if job.target == STANDARD or is_special(job.target):
            continue
        with failing_alone(job, settled, job.target):
            if policy.resume and job.target.is_file() and _is_newer(job) and is_up_to_date(job.target):
                settled[job] = Outcome(job)
            elif job.target.is_file() and not policy.overwrite:
                settled[job] = Outcome(job, error=f"{job.target}: exists, and --no-overwrite is given")
            elif job.target.is_file() and policy.keep_neighbours and _is_neighbour(job):
                settled[job] = Outcome(job, error=f"{job.target}: exists next to {job.source}; --overwrite replaces it")
            elif (complaint := output_complaint(job.target, make_folders=True)) is not None:
                settled[job] = Outcome(job, error=f"{job.target}: {complaint}")
    return list(settled.values()), [job for job in jobs if job not in settled]


def is_encoded_so(path: Path, options: EncodeOptions) -> bool:
    """Whether a file is a sound stream of this model, form, coding and quality, or meets the target of size.

    A stream does not say what became of metadata, transparency and animations, nor what its PSNR is.
    """
    codec = options.codec
    model = codec.info.identity
    try:
        data = path.read_bytes()
        data = from_base64(data) if options.as_text else data
        header = bitstream.read_stream(data, limits=options.limits, inline=model if options.inline else None).header
    except bitstream.BitstreamError:
        return False
    if (header.model_id, header.coded) != (model, options.coding == "coded"):
        return False
    if options.target:
        return _meets_size(header, len(data), options)
    one_rate = codec.engine.model.network.config.has_one_rate
    return header.lambda_step == (None if one_rate else codec.lambda_step(options.quality))


def _meets_size(header: Header, size: int, options: EncodeOptions) -> bool:
    bpp = 8 * size / (header.width * header.height)
    return size <= options.target.get("max_bytes", size) and bpp <= options.target.get("bpp", bpp)


def _is_neighbour(job: FileJob) -> bool:
    return job.source != STANDARD and os.path.realpath(job.source.parent) == os.path.realpath(job.target.parent)


def _is_newer(job: FileJob) -> bool:
    return job.source.exists() and job.target.stat().st_mtime >= job.source.stat().st_mtime
