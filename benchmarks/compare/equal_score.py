"""Bytes of ddnc relative to another codec at the same score, picture by picture."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.compare.curves import comparable_rows, picture_curves
from benchmarks.compare.metrics import METRICS, Metric
from benchmarks.compare.rows import RdRow
from benchmarks.compare.summary import SUBJECT

EVERYDAY = {"psnr": (28, 31, 34), "ms_ssim": (0.95, 0.97, 0.98), "ssimulacra2": (50, 60, 70)}
"""Scores of pictures as they are on web pages: from visibly compressed to good."""


@dataclass(frozen=True)
class EqualScore:
    """ddnc against one rival where both reach `score` by `metric`."""

    metric: Metric
    score: float
    rival: str
    ratios: dict[str, float]
    """Bytes of ddnc over bytes of the rival, by picture."""

    @property
    def percent(self) -> float:
        """Difference of ddnc's bytes in percent, the geometric mean over pictures."""
        return mean_percent(self.ratios.values())


def mean_percent(ratios: Iterable[float]) -> float:
    """The geometric mean of ratios as a difference from 1 in percent."""
    return 100 * (math.exp(fmean(math.log(ratio) for ratio in ratios)) - 1)


def equal_scores(rows: Sequence[RdRow]) -> list[EqualScore]:
    """Every rival at every everyday score; a rival that reaches a score on less than half of the pictures is left out.

    Rows without ddnc give an empty list.
    """
    rows = comparable_rows(rows)
    names = list(dict.fromkeys(row.codec for row in rows))
    if SUBJECT not in names:
        return []
    pictures, found = len({row.image for row in rows}), []
    for metric in METRICS:
        curves = {name: picture_curves([row for row in rows if row.codec == name], metric) for name in names}
        for score in EVERYDAY[metric.name]:
            rates = {
                name: {image: curve.rate_at(metric.axis(score)) for image, curve in of_picture.items()}
                for name, of_picture in curves.items()
            }
            for rival in names:
                ratios = {
                    image: own / other
                    for image, own in rates[SUBJECT].items()
                    for other in (rates[rival].get(image),)
                    if own is not None and other is not None
                }
                if rival != SUBJECT and 2 * len(ratios) >= pictures:
                    found.append(EqualScore(metric, score, rival, ratios))
    return found
