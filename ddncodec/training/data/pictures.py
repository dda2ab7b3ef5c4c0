"""Training pictures: a folder or zip archive, and crops of it that depend on seed, step and process only."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ddncodec.coding.condition import plane_of
from ddncodec.errors import ArgumentError, ImageError
from ddncodec.images.files import SUFFIXES, is_picture
from ddncodec.samples import to_pixels, to_samples
from ddncodec.training.data.augmentation import PLAIN, Augmentation, bernoulli
from ddncodec.training.data.drawings import draw


@dataclasses.dataclass(frozen=True)
class Batch:
    """Crops (B, 3, S, S) float32 in [-1, 1], and the condition of each, if any (see `model.condition`)."""

    crops: Tensor
    condition: Tensor | None

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return Batch(self.crops.to(device), None if self.condition is None else self.condition.to(device))


class Pictures:
    """All pictures of a folder (searched recursively) or zip archive; decoded ones stay in memory up to `cache` bytes.

    `augmentation` says how crops are made; none is synthetic where there is a condition of each picture. Raises
    ArgumentError where there is no picture, ImageError where one cannot be read.
    """

    def __init__(self, source: Path, augmentation: Augmentation = PLAIN, *, cache: int = 2 << 30) -> None:
        self.source = source
        self.augmentation = augmentation
        self._archive = None if source.is_dir() or not zipfile.is_zipfile(source) else zipfile.ZipFile(source)
        if source.is_dir():
            self.names = sorted(str(path.relative_to(source)) for path in source.rglob("*") if is_picture(path.name))
        elif self._archive is not None:
            self.names = sorted(filter(is_picture, self._archive.namelist()))
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

    def label(self, index: int) -> int:
        """The class of picture `index`: the number after the last underscore of its file's name.

        Raises ArgumentError where there is none.
        """
        name = self.names[index]
        label = Path(name).stem.rpartition("_")[2]
        if not label.isdecimal():
            raise ArgumentError(
                f"{name}: a picture whose class is the condition must be named NAME_CLASS.png, as digit_7.png"
            )
        return int(label)

    def condition(self, index: int, kind: str) -> int | np.ndarray:
        """The condition of picture `index` (see `NetworkConfig.condition`): its class, or a plane (H, W) uint8.

        Raises ArgumentError where it has no class that is asked for.
        """
        if kind == "class":
            return self.label(index)
        plane = plane_of(kind, to_samples(self.picture(index)[None]))
        return to_pixels(plane)[0, :, :, 0]

    def crops(self, count: int, size: int, seed: tuple[int, ...]) -> Tensor:
        """Random crops, (count, 3, size, size) float32 in [-1, 1]; a function of `seed`."""
        return self.batch(count, size, seed).crops

    def batch(self, count: int, size: int, seed: tuple[int, ...], condition: str = "none") -> Batch:
        """Random crops, a function of `seed`, and the condition of each (see `NetworkConfig.condition`).

        Raises ArgumentError where a picture has no class that is asked for.
        """
        random = np.random.default_rng(seed)
        chosen, crops = [], []
        for _ in range(count):
            chosen.append(int(random.integers(len(self))))
            synthetic = condition == "none" and bernoulli(self.augmentation.synthetic, random)
            picture = self.picture(chosen[-1])
            crops.append(draw(size, random) if synthetic else self.augmentation.crop(picture, size, random))
        samples = to_samples(np.stack(crops))
        if condition == "none":
            return Batch(samples, None)
        if condition == "class":
            return Batch(samples, torch.tensor([self.label(index) for index in chosen]))
        return Batch(samples, plane_of(condition, samples))

    def _read(self, name: str) -> np.ndarray:
        try:
            archive = self._archive
            data = (self.source / name).read_bytes() if archive is None else archive.read(name)
            return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        except (OSError, UnidentifiedImageError) as error:
            raise ImageError(f"{name}: not a readable picture ({error})") from error
