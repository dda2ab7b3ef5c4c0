"""ddnc now against ddnc in earlier rows: another version, or another model, on the same pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from benchmarks.compare.curves import bd_rate, picture_curves
from benchmarks.compare.metrics import METRICS
from benchmarks.compare.rows import RdRow
from benchmarks.compare.summary import SUBJECT
from benchmarks.errors import BenchmarkError


@dataclass(frozen=True)
class Change:
    """What became of ddnc since the baseline."""

    versions: tuple[str, str]
    """Of the baseline, and now."""
    pictures: int
    rates: dict[str, float]
    """BD-rate in percent against the baseline by name of a metric, means over pictures; negative is better."""
    times: dict[str, float]
    """Processor time of "encode" and "decode" over that of the baseline; empty if another machine measured it."""


def compare(baseline: Sequence[RdRow], rows: Sequence[RdRow]) -> Change:
    """Compare the rows of ddnc on the pictures that both have.

    Raises:
        BenchmarkError: there is no such picture, or the curves of none overlap.
    """
    images = {row.image for row in baseline if row.codec == SUBJECT} & {
        row.image for row in rows if row.codec == SUBJECT
    }
    before, after = ([row for row in each if row.codec == SUBJECT and row.image in images] for each in (baseline, rows))
    if not images:
        raise BenchmarkError(f"the baseline has no rows of {SUBJECT} on the pictures measured")
    rates = {}
    for metric in METRICS:
        earlier, later = picture_curves(before, metric), picture_curves(after, metric)
        found = [bd_rate(earlier[image], later[image]) for image in earlier.keys() & later.keys()]
        percents = [rate.percent for rate in found if rate is not None]
        if percents:
            rates[metric.name] = fmean(percents)
    if not rates:
        raise BenchmarkError("no picture has a quality that both the baseline and the measured rows reach")
    times = {}
    if {row.machine for row in before} == {row.machine for row in after}:
        for step in ("encode", "decode"):
            seconds = [_median_seconds(each, f"{step}_cpu") for each in (before, after)]
            if seconds[0] and seconds[1]:
                times[step] = seconds[1] / seconds[0]
    return Change((before[0].codec_version, after[0].codec_version), len(images), rates, times)


def render(change: Change) -> str:
    """The lines that the command prints."""
    titles = {metric.name: metric.title for metric in METRICS}
    lines = [f"{change.versions[1]} against {change.versions[0]}, {change.pictures} pictures:"]
    lines += [f"  bytes at equal {titles[name]}: {percent:+.2f} %" for name, percent in change.rates.items()]
    lines += [f"  time to {step}: {ratio:.2f} times" for step, ratio in change.times.items()]
    if not change.times:
        lines.append("  times are not compared: another machine measured the baseline")
    return "\n".join(lines)


def losses(change: Change, max_loss: float, max_slowdown: float) -> list[str]:
    """What is worse than allowed: more than `max_loss` percent of bytes by PSNR, or `max_slowdown` times as slow."""
    found = []
    if change.rates.get("psnr", 0.0) > max_loss:
        found.append(f"{change.rates['psnr']:+.2f} % bytes at equal PSNR, allowed are {max_loss:g} %")
    found += [
        f"{step} takes {ratio:.2f} times as long, allowed is {max_slowdown:g}"
        for step, ratio in change.times.items()
        if ratio > max_slowdown
    ]
    return found


def _median_seconds(rows: Sequence[RdRow], name: str) -> float | None:
    values = [value / (row.width * row.height) for row in rows for value in (getattr(row, name),) if value is not None]
    return median(values) if values else None
