"""Which streams that are there already were made as is asked for now, as far as streams tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import bitstream
from bitstream import Header
from ddncodec.cli.batch.inline import Form

if TYPE_CHECKING:
    from ddncodec.codec import Codec


@dataclasses.dataclass(frozen=True)
class MadeSo:
    """Tells of a path whether it holds a sound stream of this model, form, coding and quality.

    `wanted` is a field of `targets.Target` and its value, or empty; with one, sizes are compared and not the quality.
    A stream does not tell what became of metadata, transparency and animations.
    """

    codec: Callable[[], Codec]
    form: Form
    quality: float
    coding: str
    wanted: Mapping[str, float]

    def __call__(self, path: Path) -> bool:
        codec = self.codec()
        model = codec.info.identity
        try:
            data = self.form.without_text(path.read_bytes())
            header = bitstream.read_stream(data, limits=codec.limits, inline=model if self.form.inline else None).header
        except bitstream.BitstreamError:
            return False
        same = (header.model_id, header.coded) == (model, self.coding == "coded")
        return same and (self._is_small(header, len(data)) if self.wanted else self._is_priced(header, codec))

    def _is_small(self, header: Header, size: int) -> bool:
        bpp = 8 * size / (header.width * header.height)
        return size <= self.wanted.get("max_bytes", size) and bpp <= self.wanted.get("bpp", bpp)

    def _is_priced(self, header: Header, codec: Codec) -> bool:
        one_rate = codec.engine.model.network.config.has_one_rate
        return header.lambda_step == (None if one_rate else codec.lambda_step(self.quality))
