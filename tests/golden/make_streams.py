"""Writes the golden streams, the indices they hold and the pictures they decode to. Run by hand only.

    python tests/golden/make_streams.py --replace
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
    if sys.argv[1:] != ["--replace"]:
        sys.exit("the golden streams are frozen. --replace writes others.")
    codec = Codec(GOLDEN / "tiny.safetensors")
    rgb, gray = draw_picture(48, 64, 42), draw_picture(40, 56, 43)[:, :, 1]
    _write(codec, "coded", codec.encode(rgb, 60, "coded"))
    _write(codec, "plain", codec.encode(rgb, 60, "plain"))
    _write(codec, "best", codec.encode(rgb, 100, "coded"))
    _write(codec, "gray", codec.encode(gray, 80, "coded"))
    _write(codec, "odd", codec.encode(draw_picture(37, 51, 44), 75, "coded"))
    _write(codec, "1x1", codec.encode(draw_picture(1, 1, 45), 50, "coded"))
    _write(codec, "passes", _a_pass_per_level(codec, codec.encode(rgb, 90, "coded")))
    foretold = Codec(GOLDEN / "foretold.safetensors")
    _write(foretold, "foretold", foretold.encode(rgb, 90, "coded"))
    _write(foretold, "foretold-odd", _a_pass_per_level(foretold, foretold.encode(draw_picture(37, 51, 44), 75)))


def _a_pass_per_level(codec: Codec, data: bytes) -> bytes:
    layout, probabilities = codec.info.layout, codec._engine.model.probabilities
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
