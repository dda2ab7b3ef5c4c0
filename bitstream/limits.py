"""What a reader is willing to spend on a stream, checked before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import LimitError


@dataclass(frozen=True)
class Limits:
    """Upper bounds on what a stream may ask for (FORMAT.md, section 7).

    A range decoder yields any number of symbols from any payload. So a coded stream of a few bytes may claim a large
    picture, its checksum may be right, and only these limits bound the work.

    max_pixels: width * height of the picture.
    max_cells: indices over all decoded levels. Decoding allocates about 4 bytes for each. While a pass is decoded, it
        takes about 30 bytes more for each cell of the pass, and 2 C more for each cell of its largest plane if the
        model has an index prior of C channels.
    max_elements: passes and chunks; an empty one is 6 bytes in the stream and far more in memory.
    """

    max_pixels: int = 1 << 28
    max_cells: int = 1 << 26
    max_elements: int = 1 << 13

    def check_pixels(self, width: int, height: int) -> None:
        """Raise `LimitError` when the picture has more than `max_pixels` pixels."""
        if width * height > self.max_pixels:
            raise LimitError(
                f"picture has {width} x {height} = {width * height} pixels, limit max_pixels is {self.max_pixels}"
            )

    def check_cells(self, cells: int) -> None:
        """Raise `LimitError` when `cells` exceeds `max_cells`."""
        if cells > self.max_cells:
            raise LimitError(f"levels have {cells} cells in all, limit max_cells is {self.max_cells}")

    def check_elements(self, elements: int) -> None:
        """Raise `LimitError` when `elements` exceeds `max_elements`."""
        if elements > self.max_elements:
            raise LimitError(f"stream has more than {self.max_elements} elements, the limit max_elements")


DEFAULT_LIMITS = Limits()
"""The limits of readers that are given none."""
