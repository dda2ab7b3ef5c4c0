"""Picture files without what Pillow stumbles over: texts, metadata and marks next to the pixels, read here instead."""

from __future__ import annotations

import binascii
import dataclasses
import re
import struct
import zlib
from collections.abc import Callable, Iterator

from ddncodec.images import exif as exif_data
from ddncodec.images.light import Light, cicp_light, gamma_light

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_UNPACKED = 1 << 25
"""Bytes that a compressed text or profile may unpack to."""
_PNG_KEPT = frozenset({b"tRNS", b"acTL", b"fcTL", b"fdAT"})
"""Chunks in addition to the critical ones, whose first letter is a capital, without which the pixels are others."""
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_XMP_KEYWORD = "XML:com.adobe.xmp"
_RAW_PROFILES = {"exif": "exif", "APP1": "exif", "xmp": "xmp", "icc": "icc_profile"}
"""Profiles that ImageMagick writes as texts of hexadecimal digits."""
_TIFF_DESCRIPTIONS = frozenset({270, 282, 283, 296, 700, 33723, 34377, 0x8769, 0x8825})
_COLR_NCLX = b"colrnclx"


@dataclasses.dataclass(frozen=True)
class Slim:
    """A file that Pillow reads the pixels from, and what the original says in addition.

    `info` are entries for `Image.info` in the words of Pillow; `light` is what PNG and AVIF files say of their samples
    by numbers. `lost` is what could not be read, in the kinds of `Metadata`.
    """

    data: bytes
    info: dict[str, bytes]
    light: Light | None = None
    lost: tuple[tuple[str, str], ...] = ()


def without_metadata(data: bytes) -> Slim | None:
    """A JPEG, WebP, TIFF, AVIF or HEIF file without metadata, or None for what is none of these or has none."""
    for marks, slim in _SLIM.items():
        if marks in (data[:3], data[:4], data[4:8]):
            try:
                found = slim(data)
            except (struct.error, exif_data.ExifError):
                return None
            return found if found.data != data else None
    return None


def slim_png(data: bytes) -> Slim:
    """A PNG file whose critical chunks and transparency stay; its texts, profiles and marks of light are in `info`.

    Chunks of checksums that are wrong are left to Pillow where they are critical, and ignored otherwise.
    """
    out, info, lost = [PNG_SIGNATURE], {}, []
    numbers: dict[bytes, bytes] = {}
    for name, body, whole in _png_chunks(data):
        if name[:1].isupper() or name in _PNG_KEPT:
            out.append(whole)
        elif whole[-4:] != struct.pack(">I", zlib.crc32(name + body)):
            continue
        elif name in (b"gAMA", b"cHRM", b"cICP", b"sRGB"):
            numbers.setdefault(name, body)
        else:
            try:
                info.update(_png_metadata(name, body))
            except ValueError as error:
                kind = "icc" if name == b"iCCP" else "exif"
                lost.append((kind, f"{name.decode('latin-1')} is not read: {error}"))
    return Slim(b"".join(out), info, _png_light(numbers, "icc_profile" in info), tuple(lost))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Name, body and all bytes of each chunk; what is left where a chunk does not end, as one without name."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        end = at + 12 + length
        if end > len(data):
            break
        yield data[at + 4 : at + 8], data[at + 8 : end - 4], data[at:end]
        at = end
    if at < len(data):
        yield b"REST", b"", data[at:]


def _png_metadata(name: bytes, body: bytes) -> dict[str, bytes]:
    """What an ancillary chunk adds to `Image.info`. Raises ValueError where it is damaged."""
    if name == b"eXIf":
        return {"exif": exif_data.PREFIX + body}
    if name == b"iCCP":
        _, _, packed = body.partition(b"\0")
        return {"icc_profile": _unpacked(packed[1:])}
    if name not in _PNG_TEXTS:
        return {}
    keyword, _, rest = body.partition(b"\0")
    key = keyword.decode("latin-1")
    raw = _RAW_PROFILES.get(key.removeprefix("Raw profile type ")) if key.startswith("Raw profile type ") else None
    if raw is None and key != _XMP_KEYWORD:
        return {}
    if name == b"zTXt":
        rest = _unpacked(rest[1:])
    elif name == b"iTXt":
        flags, rest = rest[:2], rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        rest = _unpacked(rest) if flags[:1] != b"\0" else rest
    return {"xmp": rest} if raw is None else _raw_profile(raw, rest)


def _raw_profile(key: str, text: bytes) -> dict[str, bytes]:
    """The bytes of a text that ImageMagick wrote: a name, a length, and hexadecimal digits in lines."""
    found = re.fullmatch(rb"\s*[\w ]+\n\s*(\d+)\s*\n(.*)", text, re.DOTALL)
    if found is None:
        raise ValueError("no profile of a length and digits")
    try:
        value = binascii.unhexlify(b"".join(found[2].split()))
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if key == "exif" and not value.startswith((exif_data.PREFIX, b"II", b"MM")):
        return {"xmp": value.partition(b"\0")[2]} if value.startswith(b"http://ns.adobe.com/xap") else {}
    return {key: value}


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, MAX_UNPACKED)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if unpacker.unconsumed_tail:
        raise ValueError(f"unpacks to more than {MAX_UNPACKED} bytes")
    return data


def _png_light(numbers: dict[bytes, bytes], has_profile: bool) -> Light | None:
    """What a PNG file says of its samples by numbers; the chunks go before each other as PNG 3, section 12 says."""
    try:
        if b"cICP" in numbers:
            primaries, transfer, _, full = struct.unpack(">4B", numbers[b"cICP"])
            return cicp_light(primaries, transfer, bool(full))
        if has_profile or b"sRGB" in numbers:
            return None
        gamma = struct.unpack(">I", numbers[b"gAMA"])[0] / 100000 if b"gAMA" in numbers else None
        points = struct.unpack(">8I", numbers[b"cHRM"]) if b"cHRM" in numbers else None
    except struct.error:
        return Light("cICP, gAMA or cHRM is of another length and not used")
    return gamma_light(gamma, None if points is None else tuple(point / 100000 for point in points))


def nclx_light(data: bytes) -> Light | None:
    """What the first `colr` box of an AVIF or HEIC file says by numbers (ISO/IEC 14496-12, section 12.1.5)."""
    at = data.find(_COLR_NCLX, 0, 1 << 16)
    if at < 0 or at + 15 > len(data):
        return None
    primaries, transfer = struct.unpack_from(">2H", data, at + len(_COLR_NCLX))
    return cicp_light(primaries, transfer, True)  # decoders make full range of any


def _slim_jpeg(data: bytes) -> Slim:
    """Without APP1 to APP15 and comments, except ICC profiles and Adobe's mark of the colour space."""
    out, exif, at = [data[:2]], b"", 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data) and data[at + 1] != 0xDA:
        marker, end = data[at + 1], at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        body = data[at + 4 : end]
        is_metadata = 0xE1 <= marker <= 0xEF or marker == 0xFE
        if marker == 0xE1 and body.startswith(exif_data.PREFIX):
            exif += body if not exif else body[len(exif_data.PREFIX) :]
        if not is_metadata or marker == 0xEE or (marker == 0xE2 and body.startswith(b"ICC_PROFILE\0")):
            out.append(data[at:end])
        at = end
    return Slim(b"".join([*out, data[at:]]), {"exif": exif} if exif else {})


def _slim_webp(data: bytes) -> Slim:
    """Without the chunks EXIF and XMP."""
    out, exif, at = [], b"", 12
    while at + 8 <= len(data):
        end = at + 8 + struct.unpack_from("<I", data, at + 4)[0]
        end += end % 2
        if data[at : at + 4] not in (b"EXIF", b"XMP "):
            out.append(data[at:end])
        elif data[at : at + 4] == b"EXIF":
            exif = data[at + 8 : end]
        at = end
    body = b"".join(out)
    return Slim(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body, {"exif": exif} if exif else {})


def _slim_heif(data: bytes) -> Slim:
    """With the items of EXIF renamed, in AVIF and HEIF files (ISO/IEC 14496-12, section 8.11.6)."""
    return Slim(re.sub(rb"(infe.{8})Exif", rb"\g<1>none", data, flags=re.DOTALL), {})


def _slim_tiff(data: bytes) -> Slim:
    return Slim(exif_data.without_tags(data, _TIFF_DESCRIPTIONS), {})


_SLIM: dict[bytes, Callable[[bytes], Slim]] = {
    b"\xff\xd8\xff": _slim_jpeg,
    b"RIFF": _slim_webp,
    b"ftyp": _slim_heif,
    b"II*\0": _slim_tiff,
    b"MM\0*": _slim_tiff,
}
