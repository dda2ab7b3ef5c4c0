"""What the rows say: means per codec, and ddnc compared with each rival."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.curves import (
    BdRate,
    Curve,
    bd_rate,
    comparable_rows,
    mean_curve,
    mean_points,
    picture_curves,
)
from benchmarks.errors import BenchmarkError
from benchmarks.rows import RdRow

SUBJECT = "ddnc"
"""The codec that is compared with each other one."""


@dataclass(frozen=True)
class BppRange:
    """Which settings of ddnc count, by their mean rate in bits per pixel."""

    low: float = 0.0
    high: float = math.inf


ALL_RATES = BppRange()


@dataclass(frozen=True)
class Comparison:
    """ddnc against one rival."""

    of_means: BdRate | None
    """BD-rate of the two mean curves."""
    of_pictures: tuple[float, ...]
    """BD-rates in percent, of the pictures whose curves overlap."""


@dataclass(frozen=True)
class Report:
    """What tables and plots show, for the codecs in the order of their columns."""

    pictures: int
    pictures_measured: int
    curves: dict[str, Curve]
    versions: dict[str, str]
    comparisons: dict[str, Comparison]
    bpp_range: BppRange


def summarize(rows: Sequence[RdRow], bpp_range: BppRange = ALL_RATES) -> Report:
    """Average and compare the rows.

    Raises:
        BenchmarkError: no picture was coded by every codec at every setting, or no setting of
            ddnc is within `bpp_range`.
    """
    comparable = comparable_rows(rows)
    if not comparable:
        raise BenchmarkError("no picture was coded by every codec at all of its settings")
    # dict.fromkeys: unique, in the order of the file.
    names = sorted(dict.fromkeys(row.codec for row in comparable), key=lambda name: name != SUBJECT)
    by_codec = {name: [row for row in comparable if row.codec == name] for name in names}
    if SUBJECT in by_codec:
        by_codec[SUBJECT] = _within(by_codec[SUBJECT], bpp_range)
        if not by_codec[SUBJECT]:
            raise BenchmarkError(f"no {SUBJECT} setting lies within the given range of bpp")
    return Report(
        pictures=len({row.image for row in comparable}),
        pictures_measured=len({row.image for row in rows}),
        curves={name: mean_curve(group) for name, group in by_codec.items()},
        versions={name: group[0].codec_version for name, group in by_codec.items()},
        comparisons={
            name: _compare(group, by_codec[SUBJECT])
            for name, group in by_codec.items()
            if SUBJECT in by_codec and name != SUBJECT
        },
        bpp_range=bpp_range,
    )


def _within(rows: list[RdRow], bpp_range: BppRange) -> list[RdRow]:
    """Choose whole settings: choosing rows would average other pictures at each setting."""
    chosen = {
        setting
        for setting, point in mean_points(rows).items()
        if bpp_range.low <= point.bpp <= bpp_range.high
    }
    return [row for row in rows if row.setting in chosen]


def _compare(rival: list[RdRow], subject: list[RdRow]) -> Comparison:
    anchors = picture_curves(rival)
    rates = [bd_rate(anchors[image], curve) for image, curve in picture_curves(subject).items()]
    return Comparison(
        of_means=bd_rate(mean_curve(rival), mean_curve(subject)),
        of_pictures=tuple(rate.percent for rate in rates if rate is not None),
    )
