"""How a codec looks in every chart: colour by format, marker and dashes so that it is known without colour, too."""

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.compare.rivals import title_of


@dataclass(frozen=True)
class Appearance:
    """`color` is a variable of the page's style sheet, `dash` an SVG dash pattern, `marker` a shape of chart.js."""

    title: str
    color: str
    marker: str
    dash: str = ""
    shown: bool = True
    """Whether its curves are drawn before the reader chooses."""


STYLES = {
    "ddnc": ("c0", "circle", "", True),
    "ddnc-psnr": ("c0", "circle-open", "7 3", True),
    "avif": ("c1", "square", "", True),
    "avif-psnr": ("c1", "square-open", "7 3", True),
    "avif-ssimulacra2": ("c1", "square-open", "2 3", False),
    "avif-svt": ("c1", "square-open", "8 3 2 3", False),
    "jxl": ("c3", "triangle", "", True),
    "jxl-e7": ("c3", "triangle-open", "7 3", False),
    "webp": ("c2", "diamond", "", True),
    "webp-sharp": ("c2", "diamond-open", "7 3", False),
    "jpeg": ("c4", "wedge", "", True),
    "jpegli": ("c4", "wedge-open", "7 3", False),
    "jp2": ("c5", "plus", "", False),
    "heic": ("c7", "cross", "", False),
    "ddnc-inline": ("c0", "circle-open", "7 3", True),
    "face64": ("c0", "circle-open", "2 3", True),
    "blurhash": ("c6", "plus", "", True),
    "thumbhash": ("c5", "cross", "", True),
}
OTHERS = ("c6", "star", "4 4", True)
"""Of a codec that is not in the table."""


def appearances(names: Iterable[str]) -> dict[str, Appearance]:
    """The appearance of each codec, by name."""
    return {name: Appearance(title_of(name), *STYLES.get(name, OTHERS)) for name in names}
