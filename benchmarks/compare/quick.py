"""A first report within about two minutes: few pictures, reduced, at few settings of few codecs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from benchmarks.compare.codecs import Ddnc, ImageCodec
from benchmarks.compare.rd import CSV_NAME, measure_folder
from benchmarks.compare.rows import RdRow, read_rows
from benchmarks.datasets import load_picture, picture_paths

FOLDER_NAME = "quick"
PICTURES, SIDE, EFFORT = 4, 640, 1
"""Pictures that are measured, their longer side in pixels, and the effort of ddnc."""
CODECS = ("ddnc", "avif", "jxl", "webp", "jpeg")
NOTE = (
    f"This is a quick report: at most {PICTURES} pictures, reduced to {SIDE} pixels, a few settings of each codec, "
    f"{Ddnc.name} at effort {EFFORT}. The full report replaces it."
)


@dataclass(frozen=True)
class FewSettings:
    """Another codec at every other one of its settings and at its last one."""

    codec: ImageCodec

    @property
    def name(self) -> str:
        return self.codec.name

    @property
    def title(self) -> str:
        return self.codec.title

    def load(self) -> None:
        self.codec.load()

    def version(self) -> str:
        return self.codec.version()

    def settings(self) -> tuple[int, ...]:
        every = self.codec.settings()
        return tuple(sorted({*every[1::2], every[-1]}))

    def command(self, setting: int) -> str:
        return self.codec.command(setting)

    def weights(self) -> int:
        return self.codec.weights()

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return self.codec.encode(image, setting)

    def decode(self, data: bytes) -> Image.Image:
        return self.codec.decode(data)


def measure_quickly(
    codecs: Sequence[ImageCodec], paths: Sequence[Path], out: Path, workers: int, *, quiet: bool
) -> list[RdRow]:
    """Append the rows that OUT/quick/rd.csv lacks, and return all of them."""
    few: list[ImageCodec] = [
        FewSettings(replace(codec, effort=EFFORT) if isinstance(codec, Ddnc) else codec)
        for codec in codecs
        if codec.name in CODECS
    ] or [FewSettings(codec) for codec in codecs]
    with TemporaryDirectory(prefix="quick-") as folder:
        for path in paths[:PICTURES]:
            picture = load_picture(path)
            picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            picture.save(Path(folder, f"{path.stem}.png"))
        measure_folder(few, picture_paths(Path(folder)), out / FOLDER_NAME, workers, quiet=quiet)
    return read_rows(out / FOLDER_NAME / CSV_NAME)
