"""The codecs that ddnc is compared with: one frozen class each.

Everything except the quality setting is fixed here: the slowest speed that is still practical, and otherwise what the
library recommends. Where a choice remains (chroma, scans), it is the one with the better BD-rate on two Kodak pictures.
Settings cover about 0.04 to 1.2 bpp on photographs, or start at the lowest rate that the encoder reaches. To add a
codec, write a class and name it in `rivals`.
"""

import importlib.metadata
import io
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from PIL import Image, features

from benchmarks.compare.avif import Avif, AvifPsnr, AvifSsimulacra2, AvifSvt
from benchmarks.compare.codecs import (
    Ddnc,
    DdncPsnr,
    ImageCodec,
    PillowCodec,
    decode_by_pillow,
    pillow_version,
    require_feature,
    require_module,
)
from benchmarks.errors import BenchmarkError, CodecUnavailableError


@dataclass(frozen=True)
class Jpeg(PillowCodec):
    """Baseline JPEG with optimised Huffman tables, by Pillow's libjpeg-turbo.

    Progressive scans, smaller on large files, cost 3 % on these.
    """

    name: ClassVar[str] = "jpeg"
    title: ClassVar[str] = "JPEG (libjpeg-turbo)"
    format: ClassVar[str] = "JPEG"

    def load(self) -> None:
        require_feature("jpg", "JPEG")

    def version(self) -> str:
        return f"{pillow_version()}, libjpeg-turbo {features.version('libjpeg_turbo')}"

    def settings(self) -> tuple[int, ...]:
        return (3, 5, 8, 12, 18, 27, 40, 58, 75)

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "optimize": True, "subsampling": "4:2:0"}


@dataclass(frozen=True)
class WebP(PillowCodec):
    """Lossy WebP at its slowest method; the format has no other chroma than 4:2:0."""

    name: ClassVar[str] = "webp"
    title: ClassVar[str] = "WebP method 6"
    format: ClassVar[str] = "WEBP"

    def load(self) -> None:
        require_feature("webp", "WebP")

    def version(self) -> str:
        return f"{pillow_version()}, libwebp {features.version('webp')}"

    def settings(self) -> tuple[int, ...]:
        return (0, 2, 6, 12, 21, 33, 48, 64, 80)

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "method": 6}


@dataclass(frozen=True)
class Jpegli:
    """JPEG by jpegli at its defaults, by the optional package pyjpegli; any JPEG decoder reads it, here Pillow's."""

    name: ClassVar[str] = "jpegli"
    title: ClassVar[str] = "JPEG by jpegli"

    def load(self) -> None:
        require_module("pyjpegli", "pyjpegli")

    def version(self) -> str:
        return f"pyjpegli {importlib.metadata.version('pyjpegli')}"

    def settings(self) -> tuple[int, ...]:
        return (3, 8, 15, 24, 34, 46, 58, 70, 80)

    def command(self, setting: int) -> str:
        return f"pyjpegli.encode(samples, width, height, quality={setting})"

    def weights(self) -> int:
        return 0

    def encode(self, image: Image.Image, setting: int) -> bytes:
        import pyjpegli

        return bytes(pyjpegli.encode(image.tobytes(), *image.size, quality=setting))

    def decode(self, data: bytes) -> Image.Image:
        return decode_by_pillow(data)


@dataclass(frozen=True)
class WebPSharp(WebP):
    """Lossy WebP with sharp YUV, which Pillow does not offer: by the program cwebp, decoded by Pillow."""

    name: ClassVar[str] = "webp-sharp"
    title: ClassVar[str] = "WebP method 6, sharp YUV"

    def load(self) -> None:
        super().load()
        if shutil.which("cwebp") is None:
            raise CodecUnavailableError("no program cwebp on the path")

    def version(self) -> str:
        shown = subprocess.run(["cwebp", "-version"], capture_output=True, text=True, check=True)
        return f"cwebp {shown.stdout.split()[0]}"

    def command(self, setting: int) -> str:
        return " ".join(self._words(setting))

    def encode(self, image: Image.Image, setting: int) -> bytes:
        source = io.BytesIO()
        image.save(source, "PPM")
        result = subprocess.run(self._words(setting), input=source.getvalue(), capture_output=True)
        if result.returncode:
            raise BenchmarkError(f"cwebp: {result.stderr.decode(errors='replace').strip()}")
        return result.stdout

    @staticmethod
    def _words(setting: int) -> list[str]:
        return ["cwebp", "-quiet", "-m", "6", "-sharp_yuv", "-q", str(setting), "-o", "-", "--", "-"]


@dataclass(frozen=True)
class JpegXl(PillowCodec):
    """Lossy JPEG XL (XYB, 4:4:4) at effort 9, by the optional package pillow-jxl-plugin.

    Effort 9 is the slowest that libjxl recommends. libjxl optimises perceived quality, not PSNR, and does not reach
    the lowest rates.
    """

    name: ClassVar[str] = "jxl"
    title: ClassVar[str] = "JPEG XL effort 9"
    format: ClassVar[str] = "JXL"
    effort: ClassVar[int] = 9

    def load(self) -> None:
        require_module("pillow_jxl", "pillow-jxl-plugin")

    def version(self) -> str:
        plugin = importlib.metadata.version("pillow-jxl-plugin")
        return f"{pillow_version()}, pillow-jxl-plugin {plugin}"

    def settings(self) -> tuple[int, ...]:
        return (1, 4, 8, 14, 23, 35, 50, 68)

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "effort": self.effort}


@dataclass(frozen=True)
class JpegXlEffort7(JpegXl):
    """The same at effort 7, libjxl's default."""

    name: ClassVar[str] = "jxl-e7"
    title: ClassVar[str] = "JPEG XL effort 7"
    effort: ClassVar[int] = 7


@dataclass(frozen=True)
class Jpeg2000(PillowCodec):
    """JPEG 2000 by OpenJPEG: a .jp2 file of one layer, 9-7 wavelet, irreversible colour transform.

    A setting is the rate aimed at, in thousandths of a bit per pixel: OpenJPEG's other mode, which aims at a PSNR,
    needs about twice the bits for it.
    """

    name: ClassVar[str] = "jp2"
    title: ClassVar[str] = "JPEG 2000 (OpenJPEG)"
    format: ClassVar[str] = "JPEG2000"

    def load(self) -> None:
        require_feature("jpg_2000", "JPEG 2000")

    def version(self) -> str:
        return f"{pillow_version()}, OpenJPEG {features.version('jpg_2000')}"

    def settings(self) -> tuple[int, ...]:
        return (40, 65, 100, 150, 220, 330, 480, 720, 1100)

    def options(self, setting: int) -> dict[str, Any]:
        ratio = round(24_000 / setting, 2)
        return {"quality_mode": "rates", "quality_layers": [ratio], "irreversible": True, "mct": 1}


@dataclass(frozen=True)
class Heic(PillowCodec):
    """HEIC by x265, 4:4:4, by the optional package pillow-heif at its defaults."""

    name: ClassVar[str] = "heic"
    title: ClassVar[str] = "HEIC (x265)"
    format: ClassVar[str] = "HEIF"

    def load(self) -> None:
        require_module("pillow_heif", "pillow-heif").register_heif_opener()

    def version(self) -> str:
        import pillow_heif

        encoder = pillow_heif.libheif_info()["encoders"]["x265"]
        return f"pillow-heif {importlib.metadata.version('pillow-heif')}, {encoder}"

    def settings(self) -> tuple[int, ...]:
        return (1, 8, 16, 24, 32, 40, 48, 58)

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "chroma": 444}


def rivals() -> Mapping[str, ImageCodec]:
    """Every codec but ddnc, by name; which of them can run here, `load` says."""
    codecs: tuple[ImageCodec, ...] = (
        Jpeg(), Jpegli(), Jpeg2000(), WebP(), WebPSharp(), Avif(), AvifSsimulacra2(), AvifPsnr(), AvifSvt(),
        JpegXl(), JpegXlEffort7(), Heic(),
    )  # fmt: skip
    return MappingProxyType({codec.name: codec for codec in codecs})


def title_of(name: str) -> str:
    """Name in reports of the codec that rows call `name`; another name is its own title."""
    ours = {Ddnc.name: Ddnc.title, DdncPsnr.name: DdncPsnr.title}
    if name in ours:
        return ours[name]
    return rivals()[name].title if name in rivals() else name
