"""Rate-distortion curves, and the rate one saves over another.

BD-rate: G. Bjøntegaard, VCEG-M33 (2001), by the package `bjontegaard` (Herglotz et al.), which
integrates log rate over the range of quality that both curves cover. Interpolation is PCHIP
everywhere: it keeps a monotone curve monotone. Quality is on the axis of its metric throughout.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import bjontegaard  # type: ignore[import-untyped]
import numpy as np
from scipy.interpolate import PchipInterpolator  # type: ignore[import-untyped]

from benchmarks.compare.metrics import PSNR, Metric
from benchmarks.compare.rows import RdRow


@dataclass(frozen=True)
class Point:
    """One setting of a codec: rate in bits per pixel, quality on the axis of a metric."""

    bpp: float
    quality: float


@dataclass(frozen=True)
class Curve:
    """Points of strictly increasing rate and quality."""

    points: tuple[Point, ...]
    dropped: int = 0
    """Number of points left out because a cheaper one is at least as good."""

    @property
    def bpp(self) -> list[float]:
        return [point.bpp for point in self.points]

    @property
    def quality(self) -> list[float]:
        return [point.quality for point in self.points]

    def quality_at(self, bpp: float) -> float | None:
        """Quality interpolated over log rate; None outside of the measured rates."""
        if len(self.points) < 2 or not self.bpp[0] <= bpp <= self.bpp[-1]:
            return None
        return float(PchipInterpolator(np.log(self.bpp), self.quality)(math.log(bpp)))

    def rate_at(self, quality: float) -> float | None:
        """Rate at which this quality is reached, log rate interpolated; None outside of the measured qualities."""
        if len(self.points) < 2 or not self.quality[0] <= quality <= self.quality[-1]:
            return None
        return math.exp(PchipInterpolator(self.quality, np.log(self.bpp))(quality))


@dataclass(frozen=True)
class BdRate:
    """Mean difference of rate at equal quality, negative where the tested curve needs fewer bits."""

    percent: float
    low: float
    high: float
    """The range of quality that both curves cover, the only one compared."""


def monotone_curve(points: Iterable[Point]) -> Curve:
    """Sort by rate, and drop the points that cost more than another without being better."""
    kept: list[Point] = []
    ordered = sorted(points, key=lambda point: (point.bpp, -point.quality))
    for point in ordered:
        if not kept or point.quality > kept[-1].quality:
            kept.append(point)
    return Curve(tuple(kept), dropped=len(ordered) - len(kept))


def bd_rate(anchor: Curve, test: Curve) -> BdRate | None:
    """Rate of `test` relative to `anchor`; None where they share no range of quality."""
    if min(len(anchor.points), len(test.points)) < 2:
        return None
    low = max(anchor.quality[0], test.quality[0])
    high = min(anchor.quality[-1], test.quality[-1])
    if low >= high:
        return None
    percent = bjontegaard.bd_rate(
        anchor.bpp,
        anchor.quality,
        test.bpp,
        test.quality,
        method="pchip",
        require_matching_points=False,
        min_overlap=0,
    )
    return BdRate(float(percent), low, high)


def comparable_rows(rows: Sequence[RdRow]) -> list[RdRow]:
    """The rows of the pictures that every codec has coded at all of its settings.

    Means over different sets of pictures are not comparable; an unfinished run would give such means.
    """
    settings: defaultdict[str, set[int]] = defaultdict(set)
    seen: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for row in rows:
        settings[row.codec].add(row.setting)
        seen[row.codec, row.image].add(row.setting)
    complete = {
        image
        for image in {row.image for row in rows}
        if all(seen[codec, image] == wanted for codec, wanted in settings.items())
    }
    return [row for row in rows if row.image in complete]


def mean_points(rows: Iterable[RdRow], metric: Metric = PSNR) -> dict[int, Point]:
    """Mean rate and mean quality over pictures, by setting, for the rows of one codec that have the metric."""
    by_setting: defaultdict[int, list[RdRow]] = defaultdict(list)
    for row in rows:
        if getattr(row, metric.name) is not None:
            by_setting[row.setting].append(row)
    return {
        setting: Point(fmean(row.bpp for row in group), metric.axis(fmean(getattr(row, metric.name) for row in group)))
        for setting, group in sorted(by_setting.items())
    }


def mean_curve(rows: Iterable[RdRow], metric: Metric = PSNR) -> Curve:
    """The curve of the means, for the rows of one codec."""
    return monotone_curve(mean_points(rows, metric).values())


def picture_points(rows: Iterable[RdRow], metric: Metric = PSNR) -> dict[str, dict[int, Point]]:
    """Points of every picture by setting, in order, for the rows of one codec that have the metric."""
    by_image: defaultdict[str, dict[int, Point]] = defaultdict(dict)
    for row in sorted(rows, key=lambda row: row.setting):
        value = getattr(row, metric.name)
        if value is not None:
            by_image[row.image][row.setting] = Point(row.bpp, metric.axis(value))
    return dict(by_image)


def picture_curves(rows: Iterable[RdRow], metric: Metric = PSNR) -> dict[str, Curve]:
    """One curve per picture, for the rows of one codec."""
    return {image: monotone_curve(points.values()) for image, points in picture_points(rows, metric).items()}


def setting_at(points: Mapping[int, Point], bpp: float) -> float:
    """The setting at which the rate is `bpp`, interpolated between those of `points` (in order) and clamped to them."""
    settings, rates = list(points), [point.bpp for point in points.values()]
    if bpp <= rates[0]:
        return settings[0]
    if bpp >= rates[-1]:
        return settings[-1]
    return float(PchipInterpolator(settings, np.log(rates)).solve(math.log(bpp), extrapolate=False)[0])


def points_between(points: Mapping[int, Point], first: float, last: float) -> list[Point]:
    """The points from setting `first` to setting `last`; both ends are interpolated where they were not measured."""
    settings = list(points)
    within = {first, last, *(setting for setting in settings if first < setting < last)}
    if within <= set(settings):
        return [points[int(setting)] for setting in sorted(within)]
    rate = PchipInterpolator(settings, [math.log(point.bpp) for point in points.values()])
    quality = PchipInterpolator(settings, [point.quality for point in points.values()])
    return [Point(math.exp(rate(setting)), float(quality(setting))) for setting in sorted(within)]
