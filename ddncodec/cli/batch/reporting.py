"""What the commands on many files report: a line or a JSON object for each file, a progress bar, a summary."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ddncodec.batch.outcomes import FileJob, Outcome, Product
from ddncodec.cli.failures import FAILED, Failure
from ddncodec.files import STANDARD

if TYPE_CHECKING:
    from ddncodec.coding.price_search import Trial

CLEAR_LINE = "\r\x1b[K"
"""For a terminal: erases the bar, which is drawn again below the lines of a file."""


@dataclasses.dataclass(frozen=True)
class Style:
    """How to report: `quiet` shows errors only, `as_json` a JSON object for each file; `line` describes a product.

    `trials`: encodings on the way to a target were shown on the current line of the terminal.
    """

    quiet: bool
    as_json: bool
    line: Callable[[Product], str]
    trials: bool = False


@dataclasses.dataclass
class Totals:
    """Running sums over a batch; bytes are of files that were read and written."""

    started: float
    done: int = 0
    skipped: int = 0
    failed: int = 0
    input_bytes: int = 0
    output_bytes: int = 0

    def add(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.failed += 1
        elif outcome.product is None:
            self.skipped += 1
        else:
            self.done += 1
            self.input_bytes += outcome.product.input_bytes
            self.output_bytes += len(outcome.product.data)

    def __str__(self) -> str:
        rate = self.done / max(time.monotonic() - self.started, 1e-9)
        parts = [f"{self.done} done"]
        parts += [f"{self.skipped} skipped"] if self.skipped else []
        parts += [f"{self.failed} failed"] if self.failed else []
        saved = self.input_bytes - self.output_bytes
        parts += [f"{rate:.2f} files/s", f"{_megabytes(abs(saved))} {'saved' if saved >= 0 else 'more'}"]
        return ", ".join(parts)


def report(outcomes: Iterable[Outcome], count: int, style: Style) -> int:
    """Report each of `count` outcomes as it comes; returns the exit status: whether any failed.

    The bar, and the summary of several files, go to standard error; so does everything where standard output carries
    a product. Where there is a bar, files have no lines.
    """
    totals = Totals(time.monotonic())
    animated = count > 1 and not style.quiet and on_terminal()
    with _bar(count, animated) as advance:
        for outcome in outcomes:
            totals.add(outcome)
            has_lines = outcome.error or style.as_json or (outcome.product and outcome.product.notices)
            if style.trials or (animated and has_lines):
                click.echo(CLEAR_LINE, nl=False, err=True)
            _show(outcome, style, silent=animated)
            advance(totals)
    if count > 1 and not (style.quiet or style.as_json):
        click.echo(str(totals), err=True)
    return FAILED if totals.failed else 0


def report_plan(settled: Sequence[Outcome], remaining: Sequence[FileJob], as_json: bool) -> int:
    """Print what would be done; returns the exit status: whether any file cannot be done."""
    for outcome in settled:
        if outcome.error is None and not as_json:
            click.echo(f"{outcome.job.target}: is there already")
        _show(outcome, Style(False, as_json, str), silent=True)
    for job in remaining:
        facts = {"input": str(job.source), "output": str(job.target), "status": "planned"}
        click.echo(json.dumps(facts) if as_json else f"{job.source} -> {job.target}")
    return FAILED if any(outcome.error is not None for outcome in settled) else 0


def share(product: Product) -> str:
    """The size of the output against that of the input."""
    return f"{100 * len(product.data) / max(1, product.input_bytes):.3g} % of the input"


def on_terminal() -> bool:
    """Whether someone watches."""
    return sys.stderr is not None and sys.stderr.isatty()


def show_trial(trial: Trial) -> None:
    """Show one encoding on the way to a target, on a line of the terminal that the next one overwrites."""
    psnr = "" if trial.psnr is None else f", {trial.psnr:.2f} dB"
    click.echo(f"{CLEAR_LINE}trying: {len(trial.data)} bytes{psnr}", nl=False, err=True)


def _show(outcome: Outcome, style: Style, *, silent: bool) -> None:
    job, product = outcome.job, outcome.product
    if outcome.error is not None:
        Failure(outcome.error).show()
    for notice in product.notices if product and not style.quiet else ():
        click.echo(f"ddnc: note: {job.source}: {notice}", err=True)
    to_stderr = job.target == STANDARD
    if style.as_json:
        click.echo(json.dumps(_facts(outcome)), err=to_stderr)
    elif product is not None and not (style.quiet or silent or to_stderr):
        click.echo(f"{job.target}: {style.line(product)}")


def _facts(outcome: Outcome) -> dict[str, object]:
    status = "failed" if outcome.error is not None else "skipped" if outcome.product is None else "done"
    facts: dict[str, object] = {"input": str(outcome.job.source), "output": str(outcome.job.target), "status": status}
    if outcome.error is not None:
        facts["error"] = outcome.error
    if outcome.product is not None:
        product = outcome.product
        facts |= {
            "width": product.width, "height": product.height, "input_bytes": product.input_bytes,
            "output_bytes": len(product.data), "seconds": round(product.seconds, 3), "notices": product.notices,
        }  # fmt: skip
        if product.psnr is not None:
            facts["psnr"] = round(product.psnr, 3) if math.isfinite(product.psnr) else None
    return facts


@contextmanager
def _bar(count: int, shown: bool) -> Iterator[Callable[[Totals], None]]:
    if not shown:
        yield lambda totals: None
        return

    def describe(totals: Totals | None) -> str:
        return str(totals or "")

    with click.progressbar(length=count, width=20, file=sys.stderr, item_show_func=describe) as bar:
        yield lambda totals: bar.update(1, totals)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"
