"""Encode, write, decode in another process, compare: one row per picture and setting."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from PIL import Image

from benchmarks.codecs import ImageCodec
from benchmarks.datasets import load_picture
from benchmarks.decoding import DecodingProcess
from benchmarks.environment import Environment
from benchmarks.errors import BenchmarkError, CodecUnavailableError
from benchmarks.metrics import bits_per_pixel, psnr
from benchmarks.rows import RdRow


@dataclass(frozen=True)
class Job:
    """The settings of a codec still to be measured on one picture."""

    path: Path
    settings: tuple[int, ...]


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
    jobs = []
    for path in paths:
        settings = tuple(s for s in codec.settings() if (codec.name, path.name, s) not in keys)
        if settings:
            jobs.append(Job(path, settings))
    return jobs


def measure(codec: ImageCodec, jobs: Sequence[Job], environment: Environment) -> Iterator[RdRow]:
    """Yield each row as soon as it is measured.

    Raises:
        BenchmarkError: a decoded picture has another size than its original.
    """
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
        DecodingProcess(codec) as decoder,
    ):
        file = Path(folder, f"coded.{codec.name}")
        for job in jobs:
            original = load_picture(job.path)
            for setting in job.settings:
                encode_seconds = _encode_to(file, codec, original, setting)
                decoded = decoder.decode(file)
                if decoded.image.size != original.size:
                    raise BenchmarkError(
                        f"{codec.name} at {setting} decoded {job.path.name} to "
                        f"{decoded.image.size}, must be {original.size}"
                    )
                size = file.stat().st_size
                yield RdRow(
                    image=job.path.name,
                    width=original.width,
                    height=original.height,
                    codec=codec.name,
                    codec_version=codec.version(),
                    setting=setting,
                    bytes=size,
                    bpp=bits_per_pixel(size, *original.size),
                    psnr=psnr(original, decoded.image),
                    encode_seconds=round(encode_seconds, 4),
                    decode_seconds=round(decoded.seconds, 4),
                    **asdict(environment),
                )


def _encode_to(file: Path, codec: ImageCodec, image: Image.Image, setting: int) -> float:
    """Write the coded picture; the seconds of encoding, without those of writing."""
    start = time.perf_counter()
    data = codec.encode(image, setting)
    seconds = time.perf_counter() - start
    file.write_bytes(data)
    return seconds
