"""What the rows say: means per codec, and ddnc compared with each rival."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.compare.curves import (
    BdRate,
    Curve,
    bd_rate,
    comparable_rows,
    mean_curve,
    mean_points,
    monotone_curve,
    picture_curves,
    picture_points,
    points_between,
    setting_at,
)
from benchmarks.compare.metrics import METRICS, Metric
from benchmarks.compare.rows import RdRow
from benchmarks.errors import BenchmarkError

SUBJECT = "ddnc"
"""The codec that is compared with each other one."""


@dataclass(frozen=True)
class BppRange:
    """Where the curves of ddnc are cut, at settings of these mean rates in bits per pixel."""

    low: float = 0.0
    high: float = math.inf


ALL_RATES = BppRange()
Span: TypeAlias = tuple[float, float]
"""The first and the last setting of ddnc that are compared; they may lie between measured ones."""


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
        BenchmarkError: no picture was coded by every codec at every setting, or ddnc has no mean
            rate within `bpp_range`.
    """
    comparable = comparable_rows(rows)
    if not comparable:
        raise BenchmarkError("no picture was coded by every codec at all of its settings")
    # dict.fromkeys: unique, in the order of the file.
    names = sorted(dict.fromkeys(row.codec for row in comparable), key=lambda name: name != SUBJECT)
    by_codec = {name: [row for row in comparable if row.codec == name] for name in names}
    span = _span(by_codec[SUBJECT], bpp_range) if SUBJECT in by_codec else None
    metrics = [metric for metric in METRICS if all(getattr(row, metric.name) is not None for row in comparable)]
    return Report(
        pictures=len({row.image for row in comparable}),
        pictures_measured=len({row.image for row in rows}),
        measures=tuple(_measure(metric, by_codec, span) for metric in metrics),
        versions={name: group[0].codec_version for name, group in by_codec.items()},
        bpp_range=bpp_range,
    )


def _measure(metric: Metric, by_codec: dict[str, list[RdRow]], span: Span | None) -> Measure:
    curves = {name: mean_curve(group, metric) for name, group in by_codec.items()}
    if span is None:
        return Measure(metric, curves, comparisons={})
    subject = by_codec[SUBJECT]
    curves[SUBJECT] = monotone_curve(points_between(mean_points(subject, metric), *span))
    pictures = {
        image: monotone_curve(points_between(points, *span))
        for image, points in picture_points(subject, metric).items()
    }
    comparisons = {
        name: _compare(curves[name], picture_curves(group, metric), curves[SUBJECT], pictures)
        for name, group in by_codec.items()
        if name != SUBJECT
    }
    return Measure(metric, curves, comparisons)


def _span(rows: list[RdRow], bpp_range: BppRange) -> Span:
    """The settings at the ends of the range; the same for all pictures, so that means are over the same pictures."""
    points = mean_points(rows)
    rates = [point.bpp for point in points.values()]
    if bpp_range.high < min(rates) or bpp_range.low > max(rates):
        raise BenchmarkError(f"no {SUBJECT} setting lies within the given range of bpp")
    return setting_at(points, bpp_range.low), setting_at(points, bpp_range.high)


def _compare(rival: Curve, rival_pictures: dict[str, Curve], subject: Curve, pictures: dict[str, Curve]) -> Comparison:
    rates = {image: bd_rate(rival_pictures[image], curve) for image, curve in pictures.items()}
    return Comparison(
        of_means=bd_rate(rival, subject),
        of_pictures={image: rate.percent for image, rate in rates.items() if rate is not None},
    )
