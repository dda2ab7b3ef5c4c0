"""A learned lossy image codec: a Discrete Distribution Network whose selected indices are the compressed picture.

    data = ddncodec.encode(image, quality=50)
    image = ddncodec.decode(data)

`Codec` loads a model once for many pictures. Importing this package does not import torch; the first use of a codec
does. Layers, each importing only those before it:

    bitstream; errors, files, samples, metrics     bytes to indices and back; what all share
    images, model                                  pictures in and out; the network
    zoo                                            weights files and installed models
    coding                                         pictures to indices to streams, and back
    codec                                          pictures to bytes with one model loaded
    generation, selftest, targets, placeholder, pillow_plugin
    batch, training                                many files at once; new models
    ray_data, cli
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

    from bitstream import CodecError
    from ddncodec.codec import Codec
    from ddncodec.errors import ArgumentError, DdncError, ImageError, ModelError
    from ddncodec.images.pixels import Picture

__version__ = "0.1.0"
__all__ = ["ArgumentError", "Codec", "CodecError", "DdncError", "ImageError", "ModelError", "decode", "encode"]


def encode(
    image: Picture,
    quality: float = 50.0,
    coding: str = "coded",
    model: str | os.PathLike[str] = "photo",
    *,
    metadata: Collection[str] = (),
    background: str | None = None,
    effort: int = 2,
    tune: str = "visual",
) -> bytes:
    """Encode one picture, a PIL image or a uint8 array; see `Codec.encode`. The model stays loaded for the next."""
    from ddncodec.codec import shared_codec

    codec = shared_codec(os.fspath(model))
    return codec.encode(image, quality, coding, metadata=metadata, background=background, effort=effort, tune=tune)


def decode(data: bytes, levels: int | None = None) -> Image.Image:
    """Decode a stream with the installed model that wrote it; see `Codec.decode`.

    Raises: ModelError if that model is not installed, and as `Codec.decode`.
    """
    import bitstream
    from ddncodec.codec import shared_codec
    from ddncodec.coding.arguments import check_data
    from ddncodec.zoo import registry

    check_data(data)
    info = registry.find_identity(bitstream.read_header(data).model_id)
    return shared_codec(os.fspath(info.path)).decode(data, levels)


def __getattr__(name: str) -> Any:
    if name == "Codec":
        from ddncodec.codec import Codec

        return Codec
    if name in __all__:
        from ddncodec import errors

        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _check_bitstream() -> None:
    """Raise ImportError unless `import bitstream` finds the package that is installed with this one.

    PyPI has another package of that name. `bitstream` is not imported here, since numpy would come with it.
    """
    spec = importlib.util.find_spec("bitstream")
    folders = (spec.submodule_search_locations or ()) if spec else ()
    if not any(Path(folder, "FORMAT.md").exists() for folder in folders):
        found = spec.origin if spec else "missing"
        raise ImportError(
            f"`bitstream` is {found}, must be the package installed with ddncodec: uninstall the PyPI package "
            "`bitstream`, then install ddncodec again"
        )


_check_bitstream()
