"""Training pictures: a folder or zip archive, and crops of it that depend on seed, step and process only."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ddncodec.errors import ArgumentError, ImageError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}


class Pictures:
    """All pictures of a folder (searched recursively) or zip archive; decoded ones stay in memory up to `cache` bytes.

    `mirror` says whether half of the crops are mirrored; `margin` pixels are added around each picture, by repeating
    its edges, before it is cropped. Raises ArgumentError where there is no picture, ImageError where one cannot be
    read.
    """

    def __init__(self, source: Path, cache: int = 2 << 30, *, mirror: bool = True, margin: int = 0) -> None:
        self.source = source
        self.mirror = mirror
        self.margin = margin
        self._archive = None if source.is_dir() or not zipfile.is_zipfile(source) else zipfile.ZipFile(source)
        if source.is_dir():
            self.names = sorted(str(path.relative_to(source)) for path in source.rglob("*") if _is_picture(path.name))
        elif self._archive is not None:
            self.names = sorted(filter(_is_picture, self._archive.namelist()))
        else:
            raise ArgumentError(f"`data` (={source}) must be a folder or a zip archive of pictures")
        if not self.names:
            raise ArgumentError(f"`data` (={source}) holds no pictures ({', '.join(sorted(SUFFIXES))})")
        self._room = cache
        self._decoded: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.names)

    def picture(self, index: int) -> np.ndarray:
        """Picture `index` as (H, W, 3) uint8."""
        if index in self._decoded:
            return self._decoded[index]
        pixels = self._read(self.names[index])
        if pixels.nbytes <= self._room:
            self._room -= pixels.nbytes
            self._decoded[index] = pixels
        return pixels

    def crops(self, count: int, size: int, seed: tuple[int, ...]) -> Tensor:
        """Random crops, (count, 3, size, size) float32 in [-1, 1]; a function of `seed`."""
        random = np.random.default_rng(seed)
        crops = [self._crop(int(random.integers(len(self))), size, random) for _ in range(count)]
        return to_samples(np.stack(crops))

    def _crop(self, index: int, size: int, random: np.random.Generator) -> np.ndarray:
        pixels = self.picture(index)
        if min(pixels.shape[:2]) < size:
            factor = size / min(pixels.shape[:2])
            shape = (max(size, round(pixels.shape[1] * factor)), max(size, round(pixels.shape[0] * factor)))
            pixels = np.asarray(Image.fromarray(pixels).resize(shape, Image.Resampling.BICUBIC))
        if self.margin:
            pixels = np.pad(pixels, ((self.margin,) * 2, (self.margin,) * 2, (0, 0)), mode="edge")
        top = int(random.integers(pixels.shape[0] - size + 1))
        left = int(random.integers(pixels.shape[1] - size + 1))
        crop = pixels[top : top + size, left : left + size]
        return crop[:, ::-1] if self.mirror and random.random() < 0.5 else crop

    def _read(self, name: str) -> np.ndarray:
        try:
            archive = self._archive
            data = (self.source / name).read_bytes() if archive is None else archive.read(name)
            return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        except (OSError, UnidentifiedImageError) as error:
            raise ImageError(f"{name}: not a readable picture ({error})") from error


def to_samples(pixels: np.ndarray) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in [-1, 1], channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES
