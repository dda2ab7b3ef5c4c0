"""Folders of test pictures."""

from pathlib import Path

from PIL import Image

from benchmarks.errors import BenchmarkError

SUFFIXES = frozenset({".png", ".bmp", ".ppm", ".tif", ".tiff", ".webp", ".jpg", ".jpeg"})


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
