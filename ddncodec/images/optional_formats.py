"""Formats that Pillow reads and writes where further packages are installed (`pip install ddncodec[formats]`)."""

from __future__ import annotations

import dataclasses
import importlib
from contextlib import suppress
from functools import cache


@dataclasses.dataclass(frozen=True)
class OptionalFormat:
    """A format, the module that brings it, the function there that makes it known (importing it is enough: None).

    `brands` are of its ISO media files, `beginnings` the first bytes of others.
    """

    name: str
    module: str
    register: str | None
    suffixes: frozenset[str]
    brands: frozenset[bytes] = frozenset()
    beginnings: tuple[bytes, ...] = ()

    def is_at(self, prefix: bytes) -> bool:
        """Whether a file that begins with `prefix`, at least 12 bytes, is of this format."""
        return (prefix[4:8] == b"ftyp" and prefix[8:12] in self.brands) or prefix.startswith(self.beginnings)


FORMATS = (
    OptionalFormat(
        name="HEIF",
        module="pillow_heif",
        register="register_heif_opener",
        suffixes=frozenset({".heic", ".heif", ".hif"}),
        brands=frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}),
    ),
    OptionalFormat(
        name="JPEG XL",
        module="pillow_jxl",
        register=None,
        suffixes=frozenset({".jxl"}),
        beginnings=(b"\xff\x0a", b"\0\0\0\x0cJXL "),
    ),
)


@cache
def register_optional_formats() -> None:
    """Make known to Pillow what is installed; once."""
    for each in FORMATS:
        with suppress(ImportError):
            module = importlib.import_module(each.module)
            if each.register is not None:
                getattr(module, each.register)()


def hint(prefix: bytes = b"", suffix: str = "") -> str:
    """What to install for a file that begins with `prefix`, or has this suffix, as the end of an error; or nothing."""
    for each in FORMATS:
        if each.is_at(prefix) or suffix.lower() in each.suffixes:
            return f": it is {each.name}, for which pip install ddncodec[formats]"
    return ""
