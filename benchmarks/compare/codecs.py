"""The contract of a codec under test, what codecs of Pillow share, and ddnc itself. The others are in `rivals`."""

import importlib
import importlib.metadata
import io
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from PIL import Image, features

from benchmarks.errors import BenchmarkError, CodecUnavailableError
from ddncodec.coding.effort import DEFAULT_EFFORT

if TYPE_CHECKING:
    from ddncodec import Codec


class ImageCodec(Protocol):
    """A lossy codec with one quality setting.

    Instances are small and picklable: a decoding process receives one, and loads what it needs.
    """

    @property
    def name(self) -> str:
        """Short name in rows and on the command line."""

    @property
    def title(self) -> str:
        """Name in reports, with the options that tell it from other settings of the same format."""

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
    title: ClassVar[str]
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
        return decode_by_pillow(data)


@dataclass(frozen=True)
class Ddnc:
    """ddncodec with entropy-coded indices; `model` names released weights or a file of them."""

    name: ClassVar[str] = "ddnc"
    title: ClassVar[str] = "ddnc"
    tune: ClassVar[str] = "visual"
    model: str = "photo"
    effort: int = DEFAULT_EFFORT

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
        return (
            f"ddncodec {__version__}, model {info.name} {info.identity.hex()}, effort {self.effort}, tune {self.tune}"
        )

    def settings(self) -> tuple[int, ...]:
        return (0, 13, 27, 42, 56, 70, 84, 100)

    def command(self, setting: int) -> str:
        name = self.codec.info.name
        return f"ddncodec.encode(image, {setting}, model={name!r}, effort={self.effort}, tune={self.tune!r})"

    def weights(self) -> int:
        return self.codec.info.path.stat().st_size

    def encode(self, image: Image.Image, setting: int) -> bytes:
        return self.codec.encode(image, quality=setting, effort=self.effort, tune=self.tune)

    def decode(self, data: bytes) -> Image.Image:
        return self.codec.decode(data).convert("RGB")


@dataclass(frozen=True)
class DdncPsnr(Ddnc):
    """ddncodec tuned for PSNR: all errors count alike."""

    name: ClassVar[str] = "ddnc-psnr"
    title: ClassVar[str] = "ddnc tune=psnr"
    tune: ClassVar[str] = "psnr"


@cache
def _load_ddnc(model: str) -> "Codec":
    """The library's codec, once per process; imported here so that rivals run without torch."""
    from ddncodec import Codec

    return Codec(model)


def decode_by_pillow(data: bytes) -> Image.Image:
    """The 8-bit RGB picture in a file of any format that Pillow knows here."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def require_feature(feature: str, title: str) -> None:
    if not features.check(feature):
        raise CodecUnavailableError(f"this Pillow is built without {title}")


def require_module(name: str, package: str) -> Any:
    """Import a module that the optional `package` provides.

    Raises:
        CodecUnavailableError: it cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise CodecUnavailableError(f"{error}; install {package}") from error


def pillow_version() -> str:
    return f"Pillow {importlib.metadata.version('pillow')}"
