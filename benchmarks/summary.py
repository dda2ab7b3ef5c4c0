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
from benchmarks.metrics import METRICS, Metric
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
    of_pictures: dict[str, float]
    """BD-rates in percent by picture, of those whose curves overlap."""


@dataclass(frozen=True)
class Measure:
    """One metric: the mean curve of every codec, and ddnc compared with every other."""

    metric: Metric
    curves: dict[str, Curve]
    comparisons: dict[str, Comparison]


@dataclass(frozen=True)
class Report:
    """What tables and plots show, for the codecs in the order of their columns."""

    pictures: int
    pictures_measured: int
    measures: tuple[Measure, ...]
    """PSNR, and every other metric that all these rows have."""
    versions: dict[str, str]
    bpp_range: BppRange

    @property
    def curves(self) -> dict[str, Curve]:
        """Those of PSNR."""
        return self.measures[0].curves

    @property
    def comparisons(self) -> dict[str, Comparison]:
        """Those of PSNR."""
        return self.measures[0].comparisons


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
    metrics = [metric for metric in METRICS if all(getattr(row, metric.name) is not None for row in comparable)]
    return Report(
        pictures=len({row.image for row in comparable}),
        pictures_measured=len({row.image for row in rows}),
        measures=tuple(_measure(metric, by_codec) for metric in metrics),
        versions={name: group[0].codec_version for name, group in by_codec.items()},
        bpp_range=bpp_range,
    )


def _measure(metric: Metric, by_codec: dict[str, list[RdRow]]) -> Measure:
    return Measure(
        metric,
        curves={name: mean_curve(group, metric) for name, group in by_codec.items()},
        comparisons={
            name: _compare(group, by_codec[SUBJECT], metric)
            for name, group in by_codec.items()
            if SUBJECT in by_codec and name != SUBJECT
        },
    )


def _within(rows: list[RdRow], bpp_range: BppRange) -> list[RdRow]:
    """Choose whole settings: choosing rows would average other pictures at each setting."""
    chosen = {
        setting
        for setting, point in mean_points(rows).items()
        if bpp_range.low <= point.bpp <= bpp_range.high
    }
    return [row for row in rows if row.setting in chosen]


def _compare(rival: list[RdRow], subject: list[RdRow], metric: Metric) -> Comparison:
    anchors = picture_curves(rival, metric)
    curves = picture_curves(subject, metric)
    rates = {image: bd_rate(anchors[image], curve) for image, curve in curves.items()}
    return Comparison(
        of_means=bd_rate(mean_curve(rival, metric), mean_curve(subject, metric)),
        of_pictures={image: rate.percent for image, rate in rates.items() if rate is not None},
    )
