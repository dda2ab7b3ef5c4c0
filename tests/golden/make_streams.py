"""Writes the golden streams, the indices they hold and the pictures they decode to. Run by hand only.

python tests/golden/make_streams.py --replace NAME ...
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from drawing import draw_picture

import bitstream
from ddncodec.codec import Codec

GOLDEN = Path(__file__).parent


def main() -> None:
    option, *names = sys.argv[1:] or [""]
    if option != "--replace" or not names:
        sys.exit("the golden streams are frozen. --replace NAME ... writes others.")
    for name in names:
        codec = Codec(GOLDEN / ("foretold.safetensors" if "foretold" in name else "tiny.safetensors"))
        _write(codec, name, encode_golden(codec, name))


def encode_golden(codec: Codec, name: str) -> bytes:
    """The stream of a name, as the encoder makes it today."""
    rgb, gray, odd = draw_picture(48, 64, 42), draw_picture(40, 56, 43)[:, :, 1], draw_picture(37, 51, 44)
    picture, quality, coding = {
        "coded": (rgb, 60, "coded"),
        "plain": (rgb, 60, "plain"),
        "best": (rgb, 100, "coded"),
        "gray": (gray, 80, "coded"),
        "odd": (odd, 75, "coded"),
        "1x1": (draw_picture(1, 1, 45), 50, "coded"),
        "passes": (rgb, 90, "coded"),
        "foretold": (rgb, 90, "coded"),
        "foretold-odd": (odd, 75, "coded"),
        "filtered": (rgb, 90, "coded"),
        "filtered-gray": (gray, 100, "coded"),
    }[name]
    data = codec.encode(picture, quality, coding, tune="psnr")
    if "filtered" in name:
        return data
    if name in ("passes", "foretold-odd"):
        return _a_pass_per_level(codec, data)
    stream = bitstream.read_stream(data)
    return bitstream.write_stream(stream.header, stream.passes)  # older than post-filters


def _a_pass_per_level(codec: Codec, data: bytes) -> bytes:
    layout, probabilities = codec.info.layout, codec.engine.model.probabilities
    header = bitstream.read_header(data)
    passes = bitstream.encode_planes(codec.planes(data), layout, header, probabilities, [1] * len(layout))
    return bitstream.write_stream(header, passes)


def _write(codec: Codec, name: str, data: bytes) -> None:
    stem = GOLDEN / f"v1-{name}"
    stem.with_suffix(".ddn").write_bytes(data)
    np.savez_compressed(stem.with_suffix(".npz"), *(plane.astype(np.uint8) for plane in codec.planes(data)))
    picture = io.BytesIO()
    image: Image.Image = codec.decode(data)
    image.save(picture, "PNG", optimize=True)
    stem.with_suffix(".png").write_bytes(picture.getvalue())
    print(name, len(data), image.size, image.mode)


if __name__ == "__main__":
    main()
