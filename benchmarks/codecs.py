"""The codecs under test: one contract, one frozen class each.

The encoders' efforts are the libraries' slower, commonly recommended ones, and everything that is
not a quality setting is fixed here. JPEG, WebP and AVIF are used with 4:2:0 chroma, their default.
Sweeps cover about 0.04 to 1.2 bpp on photographs, or start at the lowest rate the encoder reaches:
on Kodak pictures 0.09 bpp for JPEG, 0.11 for WebP, 0.07 for AVIF and 0.16 for JPEG XL.
"""

import importlib
import importlib.metadata
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Protocol

from PIL import Image, features

from benchmarks.errors import BenchmarkError, CodecUnavailableError

if TYPE_CHECKING:
    from ddncodec import Codec


class ImageCodec(Protocol):
    """A lossy codec with one quality setting.

    Instances are small and picklable: a decoding process receives one, and loads what it needs.
    """

    @property
    def name(self) -> str:
        """Short name in rows and on the command line."""

    def load(self) -> None:
        """Pay one-off costs (imports, weights), so that they stay out of the timings.

        Raises:
            CodecUnavailableError: a library is missing on this machine.
        """

    def version(self) -> str:
        """Libraries and versions that decide the bytes; needs `load`."""

    def settings(self) -> tuple[int, ...]:
        """Qualities to measure, ascending."""

    def encode(self, image: Image.Image, setting: int) -> bytes:
        """The complete file for an 8-bit RGB picture."""

    def decode(self, data: bytes) -> Image.Image:
        """The 8-bit RGB picture in a complete file."""


@dataclass(frozen=True)
class Jpeg:
    """Baseline JPEG with optimised Huffman tables, by Pillow's libjpeg-turbo."""

    name: ClassVar[str] = "jpeg"

    def load(self) -> None:
        _require_feature("jpg", "JPEG")

    def version(self) -> str:
        return f"{_pillow()}, libjpeg-turbo {features.version('libjpeg_turbo')}"

    def settings(self) -> tuple[int, ...]:
        return (2, 3, 5, 7, 10, 13, 17, 22, 28, 35, 45, 55, 65, 75, 80)

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return _save(image, "JPEG", quality=setting, optimize=True, subsampling="4:2:0")

    def decode(self, data: bytes) -> Image.Image:
        return _open(data)


@dataclass(frozen=True)
class WebP:
    """Lossy WebP at its slowest method; the format has no other chroma than 4:2:0."""

    name: ClassVar[str] = "webp"

    def load(self) -> None:
        _require_feature("webp", "WebP")

    def version(self) -> str:
        return f"{_pillow()}, libwebp {features.version('webp')}"

    def settings(self) -> tuple[int, ...]:
        return (0, 2, 5, 8, 12, 17, 23, 30, 40, 50, 60, 70, 80)

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return _save(image, "WEBP", quality=setting, method=6)

    def decode(self, data: bytes) -> Image.Image:
        return _open(data)


@dataclass(frozen=True)
class Avif:
    """AVIF by libaom, 8-bit, at speed 4 (of 0 to 10, slowest first)."""

    name: ClassVar[str] = "avif"

    def load(self) -> None:
        _require_feature("avif", "AVIF")

    def version(self) -> str:
        return f"{_pillow()}, libavif {features.version('avif')}"

    def settings(self) -> tuple[int, ...]:
        return (1, 5, 10, 15, 20, 25, 30, 37, 45, 52, 60)

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return _save(image, "AVIF", quality=setting, speed=4, subsampling="4:2:0", codec="aom")

    def decode(self, data: bytes) -> Image.Image:
        return _open(data)


@dataclass(frozen=True)
class JpegXl:
    """Lossy JPEG XL (XYB, 4:4:4) at effort 7, by the optional package pillow-jxl-plugin.

    libjxl optimises perceived quality, not PSNR, and does not reach the lowest rates.
    """

    name: ClassVar[str] = "jxl"

    def load(self) -> None:
        try:
            importlib.import_module("pillow_jxl")
        except ImportError as error:
            raise CodecUnavailableError(f"{error}; install pillow-jxl-plugin") from error

    def version(self) -> str:
        plugin = importlib.metadata.version("pillow-jxl-plugin")
        return f"{_pillow()}, pillow-jxl-plugin {plugin}"

    def settings(self) -> tuple[int, ...]:
        return (1, 3, 5, 10, 15, 20, 30, 40, 50, 60, 70, 80)

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return _save(image, "JXL", quality=setting, effort=7)

    def decode(self, data: bytes) -> Image.Image:
        return _open(data)


@dataclass(frozen=True)
class Ddnc:
    """ddncodec with entropy-coded indices; `model` names released weights or a file of them."""

    name: ClassVar[str] = "ddnc"
    model: str = "photo"

    def load(self) -> None:
        try:
            from ddncodec.errors import ModelError

            _load_ddnc(self.model)
        except ImportError as error:
            raise CodecUnavailableError(f"ddncodec cannot be imported: {error}") from error
        except ModelError as error:
            raise BenchmarkError(str(error)) from error

    def version(self) -> str:
        from ddncodec import __version__

        info = _load_ddnc(self.model).info
        return f"ddncodec {__version__}, model {info.name} {info.identity.hex()}"

    def settings(self) -> tuple[int, ...]:
        return (*range(0, 100, 8), 100)

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return _load_ddnc(self.model).encode(image, quality=setting, coding="coded")

    def decode(self, data: bytes) -> Image.Image:
        return _load_ddnc(self.model).decode(data).convert("RGB")


def rivals() -> Mapping[str, ImageCodec]:
    """Every codec but ddnc, by name."""
    codecs: tuple[ImageCodec, ...] = (Jpeg(), WebP(), Avif(), JpegXl())
    return MappingProxyType({codec.name: codec for codec in codecs})


@cache
def _load_ddnc(model: str) -> "Codec":
    """The library's codec, once per process; imported here so that rivals run without torch."""
    from ddncodec import Codec

    return Codec(model)


def _require_feature(feature: str, title: str) -> None:
    if not features.check(feature):
        raise CodecUnavailableError(f"this Pillow is built without {title}")


def _pillow() -> str:
    return f"Pillow {importlib.metadata.version('pillow')}"


def _save(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _open(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")
