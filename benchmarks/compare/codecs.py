"""The codecs under test: one contract, one frozen class each.

Everything except the quality setting is fixed here: the slowest speed that is still practical, and otherwise what the
library recommends. Where a choice remains (chroma, scans), it is the one with the better BD-rate on two Kodak pictures.
Settings cover about 0.04 to 1.2 bpp on photographs, or start at the lowest rate that the encoder reaches. To add a
codec, write a class and name it in `rivals`.
"""

import importlib
import importlib.metadata
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

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
        """Import libraries and load weights, so that timings do not contain it.

        Raises:
            CodecUnavailableError: a library is missing on this machine.
        """

    def version(self) -> str:
        """Libraries and versions that decide the bytes; needs `load`."""

    def settings(self) -> tuple[int, ...]:
        """Qualities to measure, ascending."""

    def command(self, setting: int) -> str:
        """The call that encodes, as text for the report."""

    def weights(self) -> int:
        """Bytes of the model that a decoder needs besides the program; needs `load`."""

    def encode(self, image: Image.Image, setting: int) -> bytes:
        """The complete file for an 8-bit RGB picture."""

    def decode(self, data: bytes) -> Image.Image:
        """The 8-bit RGB picture in a complete file."""


class PillowCodec:
    """A codec that Pillow writes: a format and options."""

    name: ClassVar[str]
    format: ClassVar[str]
    """As `Image.save` calls it."""

    def options(self, setting: int) -> dict[str, Any]:
        """Keyword arguments of `Image.save`."""
        raise NotImplementedError

    def command(self, setting: int) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options(setting).items())
        return f"Image.save(file, {self.format!r}{options})"

    def weights(self) -> int:
        return 0

    def encode(self, image: Image.Image, setting: int) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, self.format, **self.options(setting))
        return buffer.getvalue()

    def decode(self, data: bytes) -> Image.Image:
        with Image.open(io.BytesIO(data)) as image:
            return image.convert("RGB")


@dataclass(frozen=True)
class Jpeg(PillowCodec):
    """Baseline JPEG with optimised Huffman tables, by Pillow's libjpeg-turbo.

    Progressive scans, smaller on large files, cost 3 % on these.
    """

    name: ClassVar[str] = "jpeg"
    format: ClassVar[str] = "JPEG"

    def load(self) -> None:
        _require_feature("jpg", "JPEG")

    def version(self) -> str:
        return f"{_pillow()}, libjpeg-turbo {features.version('libjpeg_turbo')}"

    def settings(self) -> tuple[int, ...]:
        return (3, 5, 8, 12, 18, 27, 40, 58, 75)

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "optimize": True, "subsampling": "4:2:0"}


@dataclass(frozen=True)
class WebP(PillowCodec):
    """Lossy WebP at its slowest method; the format has no other chroma than 4:2:0."""

    name: ClassVar[str] = "webp"
    format: ClassVar[str] = "WEBP"

    def load(self) -> None:
        _require_feature("webp", "WebP")

    def version(self) -> str:
        return f"{_pillow()}, libwebp {features.version('webp')}"

    def settings(self) -> tuple[int, ...]:
        return (0, 2, 6, 12, 21, 33, 48, 64, 80)

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "method": 6}


@dataclass(frozen=True)
class Avif(PillowCodec):
    """AVIF by libaom, 8-bit 4:4:4, at speed 4 (of 0 to 10, slowest first).

    4:4:4 is 2 % better than 4:2:0 here, and `tune=psnr` is worse than libavif's default even by PSNR.
    """

    name: ClassVar[str] = "avif"
    format: ClassVar[str] = "AVIF"

    def load(self) -> None:
        _require_feature("avif", "AVIF")

    def version(self) -> str:
        return f"{_pillow()}, libavif {features.version('avif')}"

    def settings(self) -> tuple[int, ...]:
        return (1, 6, 12, 19, 27, 36, 46, 58)

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "speed": 4, "subsampling": "4:4:4", "codec": "aom"}


@dataclass(frozen=True)
class JpegXl(PillowCodec):
    """Lossy JPEG XL (XYB, 4:4:4) at effort 9, by the optional package pillow-jxl-plugin.

    libjxl optimises perceived quality, not PSNR, and does not reach the lowest rates.
    """

    name: ClassVar[str] = "jxl"
    format: ClassVar[str] = "JXL"

    def load(self) -> None:
        try:
            importlib.import_module("pillow_jxl")
        except ImportError as error:
            raise CodecUnavailableError(f"{error}; install pillow-jxl-plugin") from error

    def version(self) -> str:
        plugin = importlib.metadata.version("pillow-jxl-plugin")
        return f"{_pillow()}, pillow-jxl-plugin {plugin}"

    def settings(self) -> tuple[int, ...]:
        return (1, 4, 8, 14, 23, 35, 50, 68)

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "effort": 9}


@dataclass(frozen=True)
class Jpeg2000(PillowCodec):
    """JPEG 2000 by OpenJPEG: a .jp2 file of one layer, 9-7 wavelet, irreversible colour transform.

    A setting is the rate aimed at, in thousandths of a bit per pixel: OpenJPEG's other mode, which aims at a PSNR,
    needs about twice the bits for it.
    """

    name: ClassVar[str] = "jp2"
    format: ClassVar[str] = "JPEG2000"

    def load(self) -> None:
        _require_feature("jpg_2000", "JPEG 2000")

    def version(self) -> str:
        return f"{_pillow()}, OpenJPEG {features.version('jpg_2000')}"

    def settings(self) -> tuple[int, ...]:
        return (40, 65, 100, 150, 220, 330, 480, 720, 1100)

    def options(self, setting: int) -> dict[str, Any]:
        ratio = round(24_000 / setting, 2)
        return {"quality_mode": "rates", "quality_layers": [ratio], "irreversible": True, "mct": 1}


@dataclass(frozen=True)
class Ddnc:
    """ddncodec with entropy-coded indices; `model` names released weights or a file of them.

    The committed table is of effort 8; the README says what each effort saves and takes.
    """

    name: ClassVar[str] = "ddnc"
    model: str = "photo"
    effort: int = 6

    @property
    def codec(self) -> "Codec":
        """The library's codec; needs `load`."""
        return _load_ddnc(self.model)

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

        info = self.codec.info
        return f"ddncodec {__version__}, model {info.name} {info.identity.hex()}, effort {self.effort}"

    def settings(self) -> tuple[int, ...]:
        return (0, 13, 27, 42, 56, 70, 84, 100)

    def command(self, setting: int) -> str:
        return f"ddncodec.encode(image, {setting}, model={self.codec.info.name!r}, effort={self.effort})"

    def weights(self) -> int:
        return self.codec.info.path.stat().st_size

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return self.codec.encode(image, quality=setting, coding="coded", effort=self.effort)

    def decode(self, data: bytes) -> Image.Image:
        return self.codec.decode(data).convert("RGB")


def rivals() -> Mapping[str, ImageCodec]:
    """Every codec but ddnc, by name."""
    codecs: tuple[ImageCodec, ...] = (Jpeg(), Jpeg2000(), WebP(), Avif(), JpegXl())
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
