"""A search for the price of a bit at which a file has the wanted size or PSNR.

Knows no codec: what it tries is a function from a lambda step to trials.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

MAX_TRIALS = 16
"""The search ends after this many, wherever it is."""
FIRST_TRIALS = 4
"""Trials after which smaller post-filters are tried too: values then jump, and each takes another decoding."""
FINEST = 1 / 32
"""Lambda steps between prices that are too close to tell apart."""
BISECT_AFTER = 6
"""Trials after which every other one halves the interval instead of following a straight line."""
NEAREST_END = 0.05
"""Share of the interval that a straight line keeps away from its ends."""
SLOPES = (1 / 8, 4)
"""Bounds of a measured slope, in the slopes of photographs."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """One encoding on the way: `step` is 16 log2 of the price, `value` what is searched for: log bytes or dB.

    `filtered` is whether the file has a post-filter.
    """

    step: float
    data: bytes
    psnr: float | None
    value: float
    filtered: bool


@dataclasses.dataclass(frozen=True)
class Search:
    """Looks for a step whose trial has a value within `window`; values fall with the step, except for small wiggles.

    `ends` are the smallest and largest step, `start` the first to try, `slope` a guess how values fall with a step.
    """

    window: tuple[float, float]
    ends: tuple[float, float]
    start: float
    slope: float

    def run(self, attempt: Callable[[float], Iterator[Trial]], tried: Callable[[Trial], None]) -> list[Trial]:
        """All trials, each reported to `tried`; the last one is within the window if any is.

        An attempt may yield several trials of a step, of falling values. The first one counts; but after FIRST_TRIALS
        steps, where that is above the window, one of the others does if it is within.
        """
        low, high = self.window
        over: Trial | None = None
        under: Trial | None = None
        trials: list[Trial] = []
        step: float | None = min(max(self.start, self.ends[0]), self.ends[1])
        while step is not None and len(trials) < MAX_TRIALS:
            options = attempt(step)
            trial = next(options)
            if trial.value > high and len(trials) >= FIRST_TRIALS:
                trial = next((each for each in options if low <= each.value <= high), trial)
            trials.append(trial)
            tried(trial)
            if low <= trial.value <= high:
                break
            over, under = (trial, under) if trial.value > high else (over, trial)
            step = self._between(over, under, len(trials)) if over and under else self._beyond(trials)
        return trials

    def _between(self, over: Trial, under: Trial, count: int) -> float | None:
        """By straight line between the two sides; later on halfway every other time, whatever the curve."""
        width = under.step - over.step
        if abs(width) <= FINEST:
            return None
        share = (over.value - self._aim) / (over.value - under.value) if count < BISECT_AFTER or count % 2 else 0.5
        return over.step + width * min(max(share, NEAREST_END), 1 - NEAREST_END)

    def _beyond(self, trials: list[Trial]) -> float | None:
        """By the slope of the last two trials, while all lie on one side of the window."""
        last, slope = trials[-1], self.slope
        if len(trials) > 1:
            before = trials[-2]
            measured = (before.value - last.value) / (last.step - before.step)
            slope = min(max(measured, self.slope * SLOPES[0]), self.slope * SLOPES[1])
        step = min(max(last.step + (last.value - self._aim) / slope, self.ends[0]), self.ends[1])
        return None if step == last.step else step

    @property
    def _aim(self) -> float:
        return sum(self.window) / 2
