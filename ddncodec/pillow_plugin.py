"""Pillow reads and writes `.ddn` files once `register()` has been called; nothing is registered on import.

    from ddncodec import pillow_plugin

    pillow_plugin.register()
    Image.open("photo.jpg").save("photo.ddn", quality=50)
    picture = Image.open("photo.ddn")

`Image.open` reads the header only; torch, the model, found by its id among the installed ones, and metadata are loaded
with the pixels. Errors are those of Pillow: UnidentifiedImageError from `Image.open` for what is no stream,
DecompressionBombError for one too large, OSError once pixels are needed. `ImageFile.LOAD_TRUNCATED_IMAGES` shows
the whole passes of a stream that breaks off. Alpha is seen where the codec writes it, at the beginning.
"""

from __future__ import annotations

from typing import IO, Any

from PIL import Image, ImageFile

import bitstream
import ddncodec
from ddncodec.coding.chunks import starts_with_alpha
from ddncodec.errors import DdncError, ImageError

FORMAT = "DDN"
EXTENSION = ".ddn"
MIME = "image/x-ddn"
SAVE_OPTIONS = ("quality", "coding", "model", "metadata", "background", "effort", "tune")
"""Keywords of `Image.save` that go to `ddncodec.encode`; others are ignored, as everywhere in Pillow."""
_HEADER_BYTES = 32
"""More than any header has."""


def register() -> None:
    """Make Pillow know the format: `Image.open`, `Image.save`, suffix and MIME type. Calling it again is harmless."""
    Image.register_open(FORMAT, DdnImageFile, _accept)
    Image.register_save(FORMAT, _save)
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

    def load(self) -> Any:
        if self.tile and self.fp is not None:
            self.fp.seek(0)
            picture = _decode(self.fp.read())
            self.info.update(picture.info)
            self.im = picture.convert(self.mode).im
            self.tile = []
            if self._exclusive_fp:
                self.fp.close()
            self.fp = None
        return super().load()


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(bitstream.SIGNATURE)


def _decode(data: bytes) -> Image.Image:
    try:
        if ImageFile.LOAD_TRUNCATED_IMAGES:
            data = data[: len(data) - bitstream.describe(data).torn_bytes]
        return ddncodec.decode(data)
    except (bitstream.BitstreamError, DdncError) as error:
        raise OSError(f"stream cannot be decoded: {error}") from error


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    """Raises ArgumentError, a ValueError, for a wrong option; ModelError; OSError for a picture outside the limits."""
    options: dict[str, Any] = {name: image.encoderinfo[name] for name in SAVE_OPTIONS if name in image.encoderinfo}
    try:
        file.write(ddncodec.encode(image, **options))
    except ImageError as error:
        raise OSError(f"cannot write as {FORMAT}: {error}") from error
