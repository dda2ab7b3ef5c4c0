"""One picture at a wanted size, by whichever codec."""

from PIL import Image

from benchmarks.compare.codecs import ImageCodec


def encode_nearest(codec: ImageCodec, original: Image.Image, size: int) -> bytes:
    """The codec's file nearest to `size` bytes, of all settings from its lowest to its highest measured one."""
    low, high, tried = codec.settings()[0], codec.settings()[-1], dict[int, bytes]()
    while low <= high:
        setting = (low + high) // 2
        tried[setting] = codec.encode(original, setting)
        if len(tried[setting]) < size:
            low = setting + 1
        else:
            high = setting - 1
    return min(tried.values(), key=lambda data: abs(len(data) - size))
