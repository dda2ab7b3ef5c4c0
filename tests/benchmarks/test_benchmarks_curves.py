"""BD-rates of curves whose answer is known."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.compare.curves import (
    Curve,
    Point,
    bd_rate,
    comparable_rows,
    mean_curve,
    mean_points,
    monotone_curve,
    picture_curves,
    points_between,
    setting_at,
)
from benchmarks.compare.metrics import METRICS
from benchmarks.compare.rows import RdRow

Rows = Callable[..., list[RdRow]]


def test_bd_rate_of_a_curve_against_itself_is_zero(rows_of: Rows) -> None:
    curve = mean_curve(rows_of("jpeg"))
    result = bd_rate(curve, curve)
    assert result is not None
    assert result.percent == pytest.approx(0, abs=1e-9)
    assert (result.low, result.high) == pytest.approx((18, 42))


@pytest.mark.parametrize(("rate", "percent"), [(0.9, -10), (1.25, 25)])
def test_bd_rate_of_a_scaled_copy_is_its_scale(rows_of: Rows, rate: float, percent: float) -> None:
    result = bd_rate(mean_curve(rows_of("jpeg")), mean_curve(rows_of("ddnc", rate=rate)))
    assert result is not None
    assert result.percent == pytest.approx(percent)


def test_bd_rate_needs_a_shared_range_and_two_points(rows_of: Rows) -> None:
    curve = mean_curve(rows_of("jpeg"))
    assert bd_rate(curve, mean_curve(rows_of("ddnc", gain=100))) is None
    assert bd_rate(curve, mean_curve(rows_of("ddnc", gain=24))) is None  # one point in common
    assert bd_rate(curve, Curve(curve.points[:1])) is None
    assert bd_rate(curve, Curve(())) is None


def test_curve_drops_points_that_cost_more_and_are_no_better() -> None:
    points = [Point(0.3, 31), Point(0.1, 28), Point(0.2, 27), Point(0.1, 26), Point(0.4, 31)]
    curve = monotone_curve(points)
    assert curve.points == (Point(0.1, 28), Point(0.3, 31))
    assert curve.dropped == 3


def test_interpolation_is_exact_on_points_and_none_outside(rows_of: Rows) -> None:
    curve = mean_curve(rows_of("jpeg"))
    assert curve.quality_at(0.05) == pytest.approx(18)
    assert curve.quality_at(0.2) == pytest.approx(30)
    assert curve.quality_at(0.2 * 2**0.5) == pytest.approx(33)
    assert curve.quality_at(0.049) is None
    assert curve.quality_at(0.81) is None


def test_curves_are_cut_between_settings(rows_of: Rows) -> None:
    points = mean_points(rows_of("jpeg"))  # rates double and quality rises by 6 from each setting to the next
    settings = list(points)
    first = setting_at(points, 0.1 * 2**0.5)
    assert settings[1] < first < settings[2]
    middle, *rest = points_between(points, first, settings[3])
    assert (middle.bpp, middle.quality) == pytest.approx((0.1 * 2**0.5, 27))
    assert rest == [points[settings[2]], points[settings[3]]]
    assert (setting_at(points, 0), setting_at(points, 9)) == (settings[0], settings[-1])
    assert points_between(points, settings[0], settings[-1]) == list(points.values())


def test_means_are_over_pictures_at_each_setting(rows_of: Rows) -> None:
    rows = rows_of("jpeg", "a.png") + rows_of("jpeg", "b.png", rate=3, gain=2)
    mean = mean_points(rows)[2]
    assert (mean.bpp, mean.quality) == pytest.approx((0.4, 31))


def test_similarities_are_averaged_and_then_put_on_their_axis(rows_of: Rows) -> None:
    values = (0.98, 1 - 1e-4)
    rows = [replace(rows_of("jpeg", f"{value}.png")[0], ms_ssim=value) for value in values]
    rows.append(rows_of("jpeg", "without.png")[0])
    (mean,) = mean_points(rows, METRICS[1]).values()
    assert mean.quality == pytest.approx(-10 * math.log10(1 - sum(values) / 2))
    assert set(picture_curves(rows, METRICS[1])) == {f"{value}.png" for value in values}


def test_only_pictures_finished_by_every_codec_are_compared(rows_of: Rows) -> None:
    rows = rows_of("jpeg", "a.png") + rows_of("jpeg", "b.png")
    rows += rows_of("ddnc", "a.png") + rows_of("ddnc", "b.png")[:-1]
    assert {row.image for row in comparable_rows(rows)} == {"a.png"}
