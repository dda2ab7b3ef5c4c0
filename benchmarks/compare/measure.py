"""Encode, write, decode in another process, compare: one row per picture and setting."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

import click

from benchmarks.compare.codecs import ImageCodec
from benchmarks.compare.coding import CodingProcess
from benchmarks.compare.environment import Environment
from benchmarks.compare.metrics import bits_per_pixel, metric_versions, ms_ssim, psnr, ssimulacra2
from benchmarks.compare.rows import RdRow
from benchmarks.datasets import load_picture
from benchmarks.errors import BenchmarkError, CodecUnavailableError


@dataclass(frozen=True)
class Job:
    """One setting of a codec to be measured on one picture."""

    path: Path
    setting: int


@dataclass(frozen=True)
class Worker:
    """A pair of processes and the file through which they exchange a picture."""

    encoder: CodingProcess
    decoder: CodingProcess
    file: Path


def available(codecs: Sequence[ImageCodec]) -> list[ImageCodec]:
    """The codecs that load here; each other one is named in a line on stderr."""
    loaded = []
    for codec in codecs:
        try:
            codec.load()
        except CodecUnavailableError as error:
            click.echo(f"{codec.name} skipped: {error.message}", err=True)
        else:
            loaded.append(codec)
    return loaded


def remaining_jobs(codec: ImageCodec, paths: Sequence[Path], done: Sequence[RdRow]) -> list[Job]:
    """The measurements of this codec that `done` lacks, picture by picture.

    Raises:
        BenchmarkError: `done` has rows of another version of the codec; one curve through rows of two versions
            would belong to neither.
    """
    earlier = [row for row in done if row.codec == codec.name]
    versions = {row.codec_version for row in earlier} - {codec.version()}
    if versions:
        raise BenchmarkError(
            f"rows of {codec.name} were measured with '{versions.pop()}', this is "
            f"'{codec.version()}'; use --fresh or another --out"
        )
    keys = {row.key for row in earlier}
    return [
        Job(path, setting)
        for path in paths
        for setting in codec.settings()
        if (codec.name, path.name, setting) not in keys
    ]


def measure(codec: ImageCodec, jobs: Sequence[Job], environment: Environment, workers: int = 1) -> Iterator[RdRow]:
    """Yield each row as soon as it and those before it are measured, on `workers` pairs of processes at a time.

    Raises:
        BenchmarkError: a decoded picture has another size than its original.
    """
    idle: SimpleQueue[Worker] = SimpleQueue()

    def run(job: Job) -> RdRow:
        worker = idle.get()
        try:
            return _measure_one(codec, job, worker, environment)
        finally:
            idle.put(worker)

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-"))
        for number in range(workers):
            encoder, decoder = (stack.enter_context(CodingProcess(codec, core=number)) for _ in range(2))
            idle.put(Worker(encoder, decoder, file=Path(folder, f"coded{number}.{codec.name}")))
        threads = stack.enter_context(ThreadPoolExecutor(workers))
        stack.callback(threads.shutdown, cancel_futures=True)
        yield from threads.map(run, jobs)


def _measure_one(codec: ImageCodec, job: Job, worker: Worker, environment: Environment) -> RdRow:
    original = load_picture(job.path)
    encoding = worker.encoder.encode(original, job.setting, worker.file)
    decoded, decoding = worker.decoder.decode(worker.file)
    if decoded.size != original.size:
        raise BenchmarkError(
            f"{codec.name} at {job.setting} decoded {job.path.name} to {decoded.size}, must be {original.size}"
        )
    size = worker.file.stat().st_size
    return RdRow(
        image=job.path.name,
        width=original.width,
        height=original.height,
        codec=codec.name,
        codec_version=codec.version(),
        setting=job.setting,
        command=codec.command(job.setting),
        bytes=size,
        bpp=bits_per_pixel(size, *original.size),
        psnr=psnr(original, decoded),
        ms_ssim=_rounded(ms_ssim(original, decoded), 6),
        ssimulacra2=_rounded(ssimulacra2(original, decoded), 4),
        encode_seconds=round(encoding.seconds, 4),
        decode_seconds=round(decoding.seconds, 4),
        encode_cpu=round(encoding.cpu, 4),
        decode_cpu=round(decoding.cpu, 4),
        encode_memory=encoding.memory,
        decode_memory=decoding.memory,
        weights=codec.weights(),
        metrics=metric_versions(),
        load=round(os.getloadavg()[0], 2),
        **asdict(environment),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
