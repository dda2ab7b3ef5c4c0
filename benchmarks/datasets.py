"""Folders of test pictures."""

from pathlib import Path

import click
import numpy as np
from PIL import Image

from benchmarks.errors import BenchmarkError
from ddncodec.images.files import is_picture

SYNTHETIC = "synthetic"
"""Stands for `drawn_picture` where a command takes a folder of pictures."""
WIDTH, HEIGHT = 768, 512
"""Of drawn pictures: those of the Kodak set."""
SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")
FACE = (131, 10, 321, 200)
"""Her face in the astronaut's picture: left, upper, right, lower; framed like the training pictures of face64."""
FACE_SIDE = 64


def picture_paths(folder: Path) -> list[Path]:
    """The pictures directly in `folder`, by name.

    Raises:
        BenchmarkError: there are none.
    """
    paths = sorted(path for path in folder.iterdir() if is_picture(path))
    if not paths:
        raise BenchmarkError(f"no pictures in {folder}")
    return paths


def load_picture(path: Path) -> Image.Image:
    """The picture as 8-bit RGB, without metadata: some codecs would store it and pay for it."""
    with Image.open(path) as source:
        picture = source.convert("RGB")
    picture.info.clear()
    return picture


def drawn_picture(seed: int = 0) -> np.ndarray:
    """A picture drawn by code: smooth colours, edges and noise, (HEIGHT, WIDTH, 3) uint8."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [np.sin(x / random.uniform(5, 90) + y / random.uniform(5, 90)) for _ in range(3)]
    pixels = 128 + 60 * np.stack(waves, axis=-1) + random.normal(0, 5, (HEIGHT, WIDTH, 3))
    pixels[(y // random.integers(20, 90) + x // random.integers(20, 90)) % 3 == 0] -= 40
    return pixels.clip(0, 255).astype(np.uint8)


def first_picture(source: str) -> np.ndarray:
    """The first picture of the folder `source`, or the drawn one for "synthetic"; (H, W, 3) uint8.

    Raises:
        BenchmarkError: `source` is neither.
    """
    if source == SYNTHETIC:
        return drawn_picture()
    folder = Path(source)
    if not folder.is_dir():
        raise BenchmarkError(f"{source}: must be a folder of pictures or '{SYNTHETIC}'")
    return np.asarray(load_picture(picture_paths(folder)[0]))


def sample(name: str) -> Image.Image:
    """One of scikit-image's own photographs.

    Raises:
        BenchmarkError: scikit-image is not installed.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise BenchmarkError(f"{error}; install scikit-image, or name pictures of your own") from error
    return Image.fromarray(getattr(data, name)())


def astronaut_face() -> Image.Image:
    """The face of scikit-image's astronaut, FACE_SIDE pixels a side. Raises as `sample`."""
    return sample("astronaut").crop(FACE).resize((FACE_SIDE, FACE_SIDE), Image.Resampling.LANCZOS)


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
@click.option("--face", is_flag=True, help="The astronaut's face, of 64 x 64 pixels, instead.")
def samples(out: Path, face: bool) -> None:
    """Write scikit-image's photographs to FOLDER, as pictures to measure with."""
    out.mkdir(parents=True, exist_ok=True)
    if face:
        astronaut_face().save(out / "astronaut.png")
    for name in () if face else SAMPLES:
        sample(name).save(out / f"{name}.png")
