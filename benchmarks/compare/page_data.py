"""What the page shows, computed from rows."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.compare.appearance import appearances
from benchmarks.compare.curves import Point, bd_rate, comparable_rows, monotone_curve
from benchmarks.compare.equal_score import EqualScore
from benchmarks.compare.metrics import METRICS, Metric
from benchmarks.compare.rows import RdRow
from benchmarks.compare.summary import SUBJECT, Comparison, Report

PUBLISHED = tuple(Path(__file__).parents[1] / "published" / f"kodak-{name}.json" for name in ("compressai", "coolchic"))


@dataclass(frozen=True)
class Costs:
    """What one codec takes, medians over its rows; seconds of processor time and of wall time a megapixel."""

    codec: str
    version: str
    command: str
    encode_cpu: float | None
    encode_seconds: float | None
    encode_memory: int | None
    decode_cpu: float | None
    decode_seconds: float | None
    decode_memory: int | None
    weights: int


@dataclass(frozen=True)
class BdLine:
    """ddnc against one rival by one metric; percent, over a range of quality on the metric's axis."""

    rival: str
    metric: Metric
    of_means: float | None
    low: float | None
    high: float | None
    of_pictures: float | None
    pictures: int


def bd_table(report: Report) -> list[BdLine]:
    """Every rival by every metric."""
    return [
        _bd_line(rival, measure.metric, comparison)
        for rival in report.comparisons
        for measure in report.measures
        for comparison in (measure.comparisons[rival],)
    ]


def _bd_line(rival: str, metric: Metric, comparison: Comparison) -> BdLine:
    overall, rates = comparison.of_means, comparison.of_pictures
    return BdLine(
        rival=rival,
        metric=metric,
        of_means=overall.percent if overall else None,
        low=overall.low if overall else None,
        high=overall.high if overall else None,
        of_pictures=fmean(rates.values()) if rates else None,
        pictures=len(rates),
    )


def heat_data(report: Report) -> dict[str, Any]:
    """BD-rates of ddnc in percent by metric, rival and picture, and their means over pictures."""
    rivals = list(report.comparisons)
    return {
        "metrics": [measure.metric.title for measure in report.measures],
        "rivals": rivals,
        "values": [
            {rival: _rounded(measure.comparisons[rival].of_pictures) for rival in rivals} for measure in report.measures
        ],
    }


def bars_data(scores: Sequence[EqualScore]) -> list[dict[str, Any]]:
    """Differences of ddnc's bytes in percent at every everyday score: the mean and those of the pictures."""
    return [
        {
            "metric": each.metric.title,
            "score": f"{each.score:g}{each.metric.unit}",
            "rival": each.rival,
            "percent": round(each.percent, 2),
            "pictures": _rounded({image: 100 * (ratio - 1) for image, ratio in each.ratios.items()}),
        }
        for each in scores
    ]


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in values.items()}


def published_table(report: Report, published: dict[str, Any] | None) -> list[tuple[str, list[float | None]]]:
    """BD-rates of ddnc against each published curve by PSNR and by MS-SSIM, in percent."""
    lines = []
    for curve in (published or {"curves": []})["curves"]:
        rates: list[float | None] = []
        for name in ("psnr", "ms_ssim"):
            measure = next((each for each in report.measures if each.metric.name == name), None)
            if measure is None or SUBJECT not in measure.curves or name not in curve:
                rates.append(None)
                continue
            points = [Point(bpp, measure.metric.axis(value)) for bpp, value in zip(curve["bpp"], curve[name])]
            rate = bd_rate(monotone_curve(points), measure.curves[SUBJECT])
            rates.append(rate.percent if rate else None)
        lines.append((curve["name"], rates))
    return lines


def costs_by_machine(rows: Sequence[RdRow]) -> list[tuple[str, list[Costs]]]:
    """One table for each machine, that of ddnc first: times of two machines are never compared."""
    machines = list(dict.fromkeys(row.machine for row in rows))
    own = {row.machine for row in rows if row.codec == SUBJECT}
    return [
        (machine, costs_of([row for row in rows if row.machine == machine]))
        for machine in sorted(machines, key=lambda name: name not in own)
    ]


def costs_of(rows: Sequence[RdRow]) -> list[Costs]:
    """One line per codec."""
    lines = []
    for codec in sorted(dict.fromkeys(row.codec for row in rows), key=lambda name: name != SUBJECT):
        own = [row for row in rows if row.codec == codec]
        per_megapixel = {
            name: _of_known(median, [(row, 1e6 / (row.width * row.height)) for row in own], name)
            for name in ("encode_cpu", "encode_seconds", "decode_cpu", "decode_seconds")
        }
        memory = {name: _of_known(max, [(row, 1) for row in own], name) for name in ("encode_memory", "decode_memory")}
        middle = own[len(own) // 2]
        lines.append(Costs(codec, middle.codec_version, middle.command, weights=middle.weights,
                           **per_megapixel, **memory))  # fmt: skip
    return lines


def _of_known(summary: Callable, weighted: Sequence[tuple[RdRow, float]], name: str) -> Any:
    """Median or maximum of a column, each value times its weight; None where no row has it."""
    values = [weight * getattr(row, name) for row, weight in weighted if getattr(row, name) is not None]
    return summary(values) if values else None


def published_curves(rows: Sequence[RdRow]) -> dict[str, Any] | None:
    """The published figures and their sources, where the rows are of pictures of the same set.

    A curve with figures of each picture becomes the mean over the pictures of the rows.
    """
    images = {row.image for row in rows}
    if not all(re.fullmatch(r"kodim\d\d\.png", image) for image in images):
        return None
    sources = [json.loads(path.read_text(encoding="utf-8")) for path in PUBLISHED]
    curves = []
    for source in sources:
        for curve in source.pop("curves"):
            of_pictures = curve.pop("pictures", {})
            found = [of_pictures[image] for image in sorted(images & of_pictures.keys())]
            means = {
                name: [fmean(values) for values in zip(*(each[name] for each in found))] for name in ("bpp", "psnr")
            }
            curves.append({**(means if found else {}), **curve, "same_pictures": bool(found)})
    return {"sources": sources, "curves": curves}


def chart_data(rows: Sequence[RdRow], published: dict[str, Any] | None) -> dict[str, Any]:
    """Points of all curves: [bits per pixel, value, setting, bytes].

    A series belongs to a metric, a codec and a picture; the empty name is the mean of those that all codecs finished.
    """
    finished = {row.image for row in comparable_rows(rows)}
    names = sorted(dict.fromkeys(row.codec for row in rows), key=lambda name: name != SUBJECT)
    metrics = [metric for metric in METRICS if any(getattr(row, metric.name) is not None for row in rows)]
    return {
        "metrics": [
            {"name": m.name, "title": m.title, "unit": m.unit, "digits": m.digits, "similarity": m.axis is not float}
            for m in metrics
        ],
        "codecs": {name: asdict(look) for name, look in appearances(names).items()},
        "pictures": list(dict.fromkeys(row.image for row in rows)),
        "series": [series for metric in metrics for name in names for series in _series(metric, name, rows, finished)],
        "published": [
            {"metric": metric.name, "codec": curve["name"], "points": list(zip(curve["bpp"], curve[metric.name]))}
            for metric in metrics
            for curve in (published or {"curves": []})["curves"]
            if metric.name in curve
        ],
    }


def _series(metric: Metric, codec: str, rows: Sequence[RdRow], finished: set[str]) -> list[dict[str, Any]]:
    own = [row for row in rows if row.codec == codec and getattr(row, metric.name) is not None]
    groups = {"": [row for row in own if row.image in finished]}
    for row in own:
        groups.setdefault(row.image, []).append(row)
    return [
        {
            "metric": metric.name,
            "codec": codec,
            "picture": picture,
            "points": [
                [round(fmean(row.bpp for row in at), 5), round(fmean(getattr(row, metric.name) for row in at), 5),
                 setting, round(fmean(row.bytes for row in at))]
                for setting in sorted({row.setting for row in group})
                for at in ([row for row in group if row.setting == setting],)
            ],
        }
        for picture, group in groups.items()
    ]  # fmt: skip
