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
class Bench:
    """A pair of processes and the file between them."""

    encoder: CodingProcess
    decoder: CodingProcess
    file: Path


def available(codecs: Sequence[ImageCodec]) -> list[ImageCodec]:
    """The codecs that load here; a line on stderr tells of each other one."""
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
    """What `done` lacks of this codec, picture by picture.

    Raises:
        BenchmarkError: `done` has rows of another version of the codec, and a curve through both
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


def measure(codec: ImageCodec, jobs: Sequence[Job], environment: Environment, benches: int = 1) -> Iterator[RdRow]:
    """Yield each row as soon as it and those before it are measured, on `benches` pairs of processes at a time.

    Raises:
        BenchmarkError: a decoded picture has another size than its original.
    """
    idle: SimpleQueue[Bench] = SimpleQueue()

    def run(job: Job) -> RdRow:
        bench = idle.get()
        try:
            return _measure_one(codec, job, bench, environment)
        finally:
            idle.put(bench)

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-"))
        for number in range(benches):
            pair = [stack.enter_context(CodingProcess(codec)) for _ in range(2)]
            idle.put(Bench(*pair, Path(folder, f"coded{number}.{codec.name}")))
        threads = stack.enter_context(ThreadPoolExecutor(benches))
        stack.callback(threads.shutdown, cancel_futures=True)
        yield from threads.map(run, jobs)


def _measure_one(codec: ImageCodec, job: Job, bench: Bench, environment: Environment) -> RdRow:
    original = load_picture(job.path)
    encoding = bench.encoder.encode(original, job.setting, bench.file)
    decoded, decoding = bench.decoder.decode(bench.file)
    if decoded.size != original.size:
        raise BenchmarkError(
            f"{codec.name} at {job.setting} decoded {job.path.name} to {decoded.size}, must be {original.size}"
        )
    size = bench.file.stat().st_size
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
