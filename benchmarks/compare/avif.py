"""AVIF as libaom and SVT-AV1 encode it, in the settings that their makers offer for still pictures."""

import importlib.metadata
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from PIL import Image, features

from benchmarks.compare.codecs import PillowCodec, pillow_version, require_feature, require_module
from benchmarks.errors import CodecUnavailableError


@dataclass(frozen=True)
class Avif(PillowCodec):
    """AVIF by libaom, 8-bit 4:4:4, at speed 4 (of 0 to 10, slowest first).

    libavif's own choice for still pictures is `tune=iq`, made for the eye. 4:4:4 is 2 % better than 4:2:0 here.
    """

    name: ClassVar[str] = "avif"
    title: ClassVar[str] = "AVIF tune=iq"
    format: ClassVar[str] = "AVIF"

    def load(self) -> None:
        require_feature("avif", "AVIF")

    def version(self) -> str:
        return f"{pillow_version()}, libavif {features.version('avif')}"

    def settings(self) -> tuple[int, ...]:
        return (1, 6, 12, 19, 27, 36, 46, 58)

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "speed": 4, "subsampling": "4:4:4", "codec": "aom"}


@dataclass(frozen=True)
class AvifSsimulacra2(Avif):
    """The same with libaom's tuning for the metric SSIMULACRA2."""

    name: ClassVar[str] = "avif-ssimulacra2"
    title: ClassVar[str] = "AVIF tune=ssimulacra2"
    tune: ClassVar[str] = "ssimulacra2"

    def load(self) -> None:
        super().load()
        try:
            self.encode(Image.new("RGB", (8, 8)), 50)
        except ValueError as error:
            raise CodecUnavailableError(f"this libaom has no tune={self.tune}") from error

    def options(self, setting: int) -> dict[str, Any]:
        return {**super().options(setting), "advanced": {"tune": self.tune}}


@dataclass(frozen=True)
class AvifPsnr(AvifSsimulacra2):
    """The same with libaom's tuning for PSNR, which is what ddnc's default model minimises."""

    name: ClassVar[str] = "avif-psnr"
    title: ClassVar[str] = "AVIF tune=psnr"
    tune: ClassVar[str] = "psnr"


@dataclass(frozen=True)
class AvifSvt(PillowCodec):
    """AVIF by SVT-AV1, tuned for still pictures, at speed 4, by the optional package pillow-avif-plugin.

    SVT-AV1 has 4:2:0 only. Its `tune=3` (image quality) is what it recommends for still pictures; its default is PSNR.

    The package takes the place of Pillow's own AVIF when it is imported; `load` gives that place back.
    """

    name: ClassVar[str] = "avif-svt"
    title: ClassVar[str] = "AVIF by SVT-AV1, tune=3"
    format: ClassVar[str] = "AVIF"

    def load(self) -> None:
        os.environ.setdefault("SVT_LOG", "1")  # errors only: it would write every setting to stderr
        require_feature("avif", "AVIF")
        if not _svt_plugin().encoder_codec_available("svt"):
            raise CodecUnavailableError("this pillow-avif-plugin is built without SVT-AV1")

    def version(self) -> str:
        versions = _svt_plugin().codec_versions()
        svt = next(part for part in versions.split(", ") if part.startswith("svt"))
        return f"pillow-avif-plugin {importlib.metadata.version('pillow-avif-plugin')}, {svt}"

    def settings(self) -> tuple[int, ...]:
        return (1, 8, 16, 25, 34, 44, 56, 70)

    def command(self, setting: int) -> str:
        return super().command(setting) + " with pillow_avif imported"

    def options(self, setting: int) -> dict[str, Any]:
        return {"quality": setting, "speed": 4, "subsampling": "4:2:0", "codec": "svt", "advanced": {"tune": "3"}}

    def encode(self, image: Image.Image, setting: int) -> bytes:
        own = Image.SAVE["AVIF"]
        Image.SAVE["AVIF"] = _svt_save()
        try:
            return super().encode(image, setting)
        finally:
            Image.SAVE["AVIF"] = own


def _svt_plugin() -> Any:
    _svt_save()
    return require_module("pillow_avif._avif", "pillow-avif-plugin")


@cache
def _svt_save() -> Callable[..., None]:
    """The writer that importing pillow_avif registers, while Pillow keeps its own."""
    Image.init()
    tables = (Image.SAVE, Image.OPEN)
    own = [table["AVIF"] for table in tables]
    try:
        plugin = require_module("pillow_avif.AvifImagePlugin", "pillow-avif-plugin")
    finally:
        for table, value in zip(tables, own, strict=True):
            table["AVIF"] = value
    save: Callable[..., None] = plugin._save
    return save
