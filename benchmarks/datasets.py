"""Folders of test pictures."""

from pathlib import Path

import click
from PIL import Image

from benchmarks.errors import BenchmarkError

SUFFIXES = frozenset({".png", ".bmp", ".ppm", ".tif", ".tiff", ".webp", ".jpg", ".jpeg"})

SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")
FACE = (131, 10, 321, 200)
"""Where in the astronaut's picture her face is: left, upper, right, lower; as large and as high as faces in faces64."""
FACE_SIDE = 64


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


def astronaut_face() -> Image.Image:
    """The face of scikit-image's astronaut, FACE_SIDE pixels a side. Raises as `sample`."""
    return sample("astronaut").crop(FACE).resize((FACE_SIDE, FACE_SIDE), Image.Resampling.LANCZOS)


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
@click.option("--face", is_flag=True, help="A face of 64 x 64 pixels instead, the astronaut's.")
def samples(out: Path, face: bool) -> None:
    """Write scikit-image's photographs to FOLDER, as pictures to measure with."""
    out.mkdir(parents=True, exist_ok=True)
    if face:
        astronaut_face().save(out / "astronaut.png")
    for name in () if face else SAMPLES:
        sample(name).save(out / f"{name}.png")
