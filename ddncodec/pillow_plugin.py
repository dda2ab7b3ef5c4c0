"""Pillow reads and writes `.ddn` files once `register()` has been called; nothing is registered on import.

    from ddncodec import pillow_plugin

    pillow_plugin.register()
    Image.open("photo.jpg").save("photo.ddn", quality=50)
    picture = Image.open("photo.ddn")

`Image.open` reads the header only; torch, the model, found by its id among the installed ones, and metadata are loaded
with the pixels; `getexif` and `getxmp` read metadata alone. `Image.save` takes the arguments of `ddncodec.encode` and
`max_bytes`, and keeps what it is given as `exif`, `xmp` and `icc_profile`, the last of which says what the samples are.
Errors are those of Pillow: UnidentifiedImageError from `Image.open` for what is no stream,
DecompressionBombError for one too large, OSError once pixels are needed. `ImageFile.LOAD_TRUNCATED_IMAGES` shows
the whole passes of a stream that breaks off. Alpha is seen where the codec writes it, at the beginning.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from typing import IO, Any, TypeVar

from PIL import Image, ImageFile

import bitstream
import ddncodec
from ddncodec.coding.chunks import read_metadata, starts_with_alpha
from ddncodec.errors import ArgumentError, DdncError, ImageError
from ddncodec.images.pixels import Pixels, described_as, info_of

T = TypeVar("T")
FORMAT = "DDN"
EXTENSION = ".ddn"
MIME = "image/x-ddn"
SAVE_OPTIONS = ("quality", "coding", "model", "metadata", "background", "effort", "tune", "max_bytes")
"""Keywords of `Image.save` in addition to those of METADATA_OPTIONS; others are ignored, as everywhere in Pillow."""
METADATA_OPTIONS = {"exif": "exif", "xmp": "xmp", "icc_profile": "icc"}
"""Keywords of `Image.save` with metadata to be kept, and the kinds that these are."""
_HEADER_BYTES = 32
"""More than any header has."""


def register() -> None:
    """Make Pillow know the format: `Image.open`, `Image.save`, suffix and MIME type. Calling it again is harmless."""
    Image.register_open(FORMAT, DdnImageFile, _accept)
    Image.register_save(FORMAT, _save)
    Image.register_save_all(FORMAT, _save_all)
    Image.register_extension(FORMAT, EXTENSION)
    Image.register_mime(FORMAT, MIME)


class DdnImageFile(ImageFile.ImageFile):
    """A stream whose header is read; mode L, RGB, LA or RGBA."""

    format = FORMAT
    format_description = "Discrete Distribution Network stream"

    def _open(self) -> None:
        assert self.fp is not None
        try:
            start = self.fp.read(_HEADER_BYTES)
            header, alpha = bitstream.read_header(start), starts_with_alpha(start)
        except bitstream.LimitError as error:
            raise Image.DecompressionBombError(str(error)) from error
        except bitstream.BitstreamError as error:
            raise SyntaxError(str(error)) from error  # Pillow's word for "not mine"
        self._size = header.width, header.height
        self._mode = ("L" if header.gray else "RGB") + ("A" if alpha else "")
        self.tile = [ImageFile._Tile(FORMAT, (0, 0, *self._size), 0)]
        self._loading = threading.Lock()
        self._metadata_is_read = False

    def load(self) -> Any:
        if self.tile:
            with self._loading:
                self._decode_once()
        return super().load()

    def load_seek(self, position: int) -> None:
        """Never called; that it is there tells `ImageFile.Parser` to wait for the whole stream."""

    def verify(self) -> None:
        """Check every checksum of the stream, without its model. Raises OSError; closes the file."""
        if self.fp is not None:
            _as_oserror(lambda: bitstream.read_stream(self._data()))
        super().verify()

    def getexif(self) -> Image.Exif:
        """EXIF of the stream, without its pixels."""
        self._read_metadata()
        return super().getexif()

    def getxmp(self, **options: Any) -> dict[str, Any]:
        """XMP of the stream, without its pixels."""
        self._read_metadata()
        return super().getxmp(**options)

    def _decode_once(self) -> None:
        if not self.tile or self.fp is None:  # another thread was first
            return
        picture = _as_oserror(lambda: _decode(self._data()))
        self.info.update(picture.info)
        self.im = picture.convert(self.mode).im
        self.tile = []
        if self._exclusive_fp:
            self.fp.close()
        self.fp = None

    def _read_metadata(self) -> None:
        """Put metadata into `info`; what is wrong with the stream is left to `load` and `verify`."""
        if not self.tile or self.fp is None or self._metadata_is_read:
            return
        self._metadata_is_read = True
        try:
            stream = bitstream.read_stream(self._data(), allow_partial=ImageFile.LOAD_TRUNCATED_IMAGES)
        except bitstream.BitstreamError:
            return
        self.info.update(info_of(read_metadata(stream)))

    def _data(self) -> bytes:
        assert self.fp is not None
        self.fp.seek(0)
        return self.fp.read()


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(bitstream.SIGNATURE)


def _as_oserror(make: Callable[[], T]) -> T:
    try:
        return make()
    except (bitstream.BitstreamError, DdncError) as error:
        raise OSError(f"stream cannot be decoded: {error}") from error


def _decode(data: bytes) -> Image.Image:
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        data = data[: len(data) - bitstream.describe(data).torn_bytes]
    return ddncodec.decode(data)


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    """Raises ArgumentError, a ValueError, for a wrong option; ModelError; OSError for a picture outside the limits."""
    options: dict[str, Any] = {name: image.encoderinfo[name] for name in SAVE_OPTIONS if name in image.encoderinfo}
    said = {name: image.encoderinfo[name] for name in METADATA_OPTIONS if name in image.encoderinfo}
    try:
        if said:
            info = {name: _metadata_bytes(name, value) for name, value in said.items()}
            kinds = {METADATA_OPTIONS[name] for name, value in info.items() if value}
            options["metadata"] = tuple(kinds.union(options.get("metadata") or ()))
            pixels = described_as(image, info, options.pop("background", None))
            for text in (text for kind, text in pixels.unkept if kind in kinds):
                warnings.warn(text, stacklevel=2)
        file.write(_encoded(pixels if said else image, **options))
    except ImageError as error:
        raise OSError(f"cannot write as {FORMAT}: {error}") from error


def _save_all(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    """As `_save`. Raises OSError where there is more than one picture."""
    frames = getattr(image, "n_frames", 1) + len(image.encoderinfo.get("append_images") or ())
    if frames > 1:
        raise OSError(f"cannot write as {FORMAT}: a stream holds one picture, not {frames}")
    _save(image, file, filename)


def _metadata_bytes(name: str, value: object) -> bytes:
    """A value of METADATA_OPTIONS as bytes, empty for none. Raises ArgumentError where it is of another type."""
    if isinstance(value, Image.Exif):
        try:
            return value.tobytes()
        except Exception as error:  # Pillow's writer meets what its reader let pass
            warnings.warn(f"EXIF is not kept: {error}", stacklevel=2)
            return b""
    if value is None or isinstance(value, (bytes, str)):
        return value.encode() if isinstance(value, str) else value or b""
    raise ArgumentError(f"`{name}` is a {type(value).__name__}, must be bytes")


def _encoded(picture: Image.Image | Pixels, **options: Any) -> bytes:
    """As `ddncodec.encode`, to at most `max_bytes` where they are given."""
    limit = options.pop("max_bytes", None)
    if limit is None:
        return ddncodec.encode(picture, **options)
    if "quality" in options:
        raise ArgumentError("`quality` and `max_bytes` are given, must be one of them")
    from ddncodec.codec import shared_codec
    from ddncodec.targets import Target, encode_to

    codec = shared_codec(os.fspath(options.pop("model", "photo")))
    return encode_to(codec, picture, Target(max_bytes=limit), **options).data
