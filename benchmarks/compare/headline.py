"""The first screen of the report: what the rows say in three sentences and a few bars."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.compare.equal_score import EVERYDAY, EqualScore, mean_percent
from benchmarks.compare.metrics import METRICS, Metric
from benchmarks.compare.page_data import Costs
from benchmarks.compare.rivals import title_of
from benchmarks.compare.summary import SUBJECT

SPOKEN = ("ssimulacra2", "psnr")
"""Metrics of the sentences: one for the eye and one for the error. The bars have all."""
RIVALS = ("avif", "webp", "jpeg")
"""The codecs that readers know; the others follow below."""


@dataclass(frozen=True)
class Bar:
    """ddnc's bytes against a rival's in percent, the mean over pictures and everyday scores of one metric."""

    rival: str
    title: str
    metric: Metric
    percent: float


@dataclass(frozen=True)
class Headline:
    """At most three sentences, and bars by metric."""

    sentences: tuple[str, ...]
    groups: tuple[tuple[Metric, tuple[Bar, ...]], ...]
    scores: str
    """The scores that are meant by everyday qualities."""


def headline(scores: Sequence[EqualScore], tables: Sequence[tuple[str, Sequence[Costs]]]) -> Headline | None:
    """What to say first; None without rows of ddnc and of a codec of RIVALS."""
    bars = tuple(
        Bar(rival, title_of(rival), metric, mean_percent(ratios))
        for metric in METRICS[::-1]
        for rival in RIVALS
        for ratios in ([r for s in scores if (s.metric, s.rival) == (metric, rival) for r in s.ratios.values()],)
        if ratios
    )
    if not bars:
        return None
    sentences = [_sizes(bars), _times(tables), _losses(scores, tables)]
    return Headline(tuple(filter(None, sentences)), _grouped(bars), _ranges({bar.metric for bar in bars}))


def _grouped(bars: Sequence[Bar]) -> tuple[tuple[Metric, tuple[Bar, ...]], ...]:
    metrics = dict.fromkeys(bar.metric for bar in bars)
    return tuple((metric, tuple(bar for bar in bars if bar.metric is metric)) for metric in metrics)


def _sizes(bars: Sequence[Bar]) -> str:
    parts = []
    for metric in dict.fromkeys(bar.metric for bar in bars if bar.metric.name in SPOKEN):
        own = [f"{_amount(bar.percent)} {bar.title}" for bar in bars if bar.metric is metric]
        parts.append(f"at equal {metric.title} {SUBJECT} needs {_listed(own)}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _times(tables: Sequence[tuple[str, Sequence[Costs]]]) -> str:
    """Of the machine that measured ddnc only."""
    for machine, costs in tables:
        by_name = {each.codec: each for each in costs}
        own = by_name.get(SUBJECT)
        if own is None or own.encode_cpu is None or own.decode_cpu is None:
            continue
        text = (
            f"A megapixel takes {SUBJECT} {_seconds(own.encode_cpu)} to encode and {_seconds(own.decode_cpu)} to decode"
        )
        others = [
            f"{title_of(name)} {_seconds(other.encode_cpu)} and {_seconds(other.decode_cpu)}"
            for name in RIVALS
            for other in (by_name.get(name),)
            if other is not None and other.encode_cpu is not None and other.decode_cpu is not None
        ]
        return f"{text}{', ' + _listed(others) if others else ''} (processor time, {machine})."
    return ""


def _slowest(tables: Sequence[tuple[str, Sequence[Costs]]]) -> bool:
    """Whether decoding takes ddnc more time than every other codec that was measured on its machine."""
    for _, costs in tables:
        times = {each.codec: each.decode_cpu for each in costs if each.decode_cpu is not None}
        own = times.pop(SUBJECT, None)
        if own is not None and times:
            return own > max(times.values())
    return False


def _losses(scores: Sequence[EqualScore], tables: Sequence[tuple[str, Sequence[Costs]]]) -> str:
    """The rivals that need fewer bytes than ddnc by a metric, and how many more ddnc needs."""
    parts = []
    for metric in [metric for metric in METRICS[::-1] if metric.name in SPOKEN]:
        losing = []
        for rival in dict.fromkeys(score.rival for score in scores):
            ratios = [r for s in scores if (s.metric, s.rival) == (metric, rival) for r in s.ratios.values()]
            if ratios and mean_percent(ratios) > 0:
                losing.append((mean_percent(ratios), title_of(rival)))
        if losing:
            named = [f"{title} ({percent:+.0f} %)" for percent, title in sorted(losing, reverse=True)]
            parts.append(f"by {metric.title} to {_listed(named)}")
    time = "decoding takes longer than with any other codec" if _slowest(tables) else ""
    lost = f"It loses {'; '.join(parts)}" if parts else "By none of these measures does it lose"
    return f"{lost}{'; ' + time if time else ''}."


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10 else f"{value:.2g} s"


def _amount(percent: float) -> str:
    if abs(percent) < 0.5:
        return "as many bytes as"
    return f"{abs(percent):.0f} % {'more' if percent > 0 else 'fewer'} bytes than"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _ranges(metrics: set[Metric]) -> str:
    ranges = [
        f"{metric.title} {EVERYDAY[metric.name][0]} to {EVERYDAY[metric.name][-1]}{metric.unit}"
        for metric in METRICS[::-1]
        if metric in metrics
    ]
    return _listed(ranges)
