"""Streams as they travel inside other things: inline, in base64, or both."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from ddncodec.cli.batch.jobs import Job
from ddncodec.cli.batch.run import Outcome, Work, attempt

if TYPE_CHECKING:
    from ddncodec.codec import Codec

inline_option = click.option(
    "--inline", is_flag=True, help="Without what both sides know, the model above all: 6 bytes beside the indices."
)
base64_option = click.option(
    "--base64", "as_text", is_flag=True, help="Streams are text in base64; limits of size count what it stands for."
)


@dataclasses.dataclass(frozen=True)
class Form:
    """How streams are written: `inline`, for one model, as `text`, or both."""

    inline: bool = False
    text: bool = False

    def shape(self, data: bytes, codec: Callable[[], Codec]) -> bytes:
        """An ordinary stream in this form. Raises as `Codec.decode`."""
        if self.inline:
            from ddncodec.placeholder import to_inline

            data = to_inline(codec(), data)
        return base64.b64encode(data) if self.text else data

    def restore(self, data: bytes, codec: Callable[[], Codec]) -> bytes:
        """Inverse of `shape`. Raises as `Codec.decode`."""
        data = self.without_text(data)
        if self.inline:
            from ddncodec.placeholder import from_inline

            data = from_inline(codec(), data)
        return data

    def without_text(self, data: bytes) -> bytes:
        """What the text stands for; blanks in it do not matter. Raises bitstream.CorruptionError for no base64."""
        if not self.text:
            return data
        try:
            return base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error as error:
            from bitstream import CorruptionError

            raise CorruptionError(f"text is no base64: {error}") from error


@dataclasses.dataclass(frozen=True)
class Shaping:
    """The work of encoding, with what it makes in some form."""

    work: Work
    form: Form
    codec: Callable[[], Codec]

    def __call__(self, jobs: Sequence[Job]) -> list[Outcome]:
        return [attempt(outcome.job, partial(self._shape, outcome)) for outcome in self.work(jobs)]

    def _shape(self, outcome: Outcome) -> Outcome:
        if outcome.product is None:
            return outcome
        data = self.form.shape(outcome.product.data, self.codec)
        return dataclasses.replace(outcome, product=dataclasses.replace(outcome.product, data=data))
