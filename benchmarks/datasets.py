"""Folders of test pictures."""

from pathlib import Path

import click
from PIL import Image

from benchmarks.errors import BenchmarkError

SUFFIXES = frozenset({".png", ".bmp", ".ppm", ".tif", ".tiff", ".webp", ".jpg", ".jpeg"})

SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")


def picture_paths(folder: Path) -> list[Path]:
    """The pictures directly in `folder`, by name.

    Raises:
        BenchmarkError: there are none.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise BenchmarkError(f"no pictures in {folder}")
    return paths


def load_picture(path: Path) -> Image.Image:
    """The picture as 8-bit RGB, without metadata: some codecs would store it and pay for it."""
    with Image.open(path) as source:
        picture = source.convert("RGB")
    picture.info.clear()
    return picture


def sample(name: str) -> Image.Image:
    """One of scikit-image's own photographs.

    Raises:
        BenchmarkError: scikit-image is not installed.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise BenchmarkError(f"{error}; install scikit-image, or give pictures of yours") from error
    return Image.fromarray(getattr(data, name)())


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
def samples(out: Path) -> None:
    """Write scikit-image's photographs to FOLDER, as pictures to measure with."""
    out.mkdir(parents=True, exist_ok=True)
    for name in SAMPLES:
        sample(name).save(out / f"{name}.png")
