"""One picture by any codec at a given size."""

from PIL import Image

from benchmarks.compare.codecs import ImageCodec


def encode_nearest(codec: ImageCodec, original: Image.Image, size: int) -> bytes:
    """The codec's file nearest to `size` bytes, by bisection from its lowest measured setting to its highest."""
    low, high, tried = codec.settings()[0], codec.settings()[-1], dict[int, bytes]()
    while low <= high:
        setting = (low + high) // 2
        tried[setting] = codec.encode(original, setting)
        if len(tried[setting]) < size:
            low = setting + 1
        else:
            high = setting - 1
    return min(tried.values(), key=lambda data: abs(len(data) - size))
