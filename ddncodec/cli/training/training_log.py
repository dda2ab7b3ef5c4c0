"""`log.csv` of a run: a row every few steps, and no row of a step that a resumed run repeats."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from ddncodec.files import write_atomically
from ddncodec.training.trainer import Report

STEPS_PER_ROW = 10


class TrainingLog:
    """Appends means over the last STEPS_PER_ROW steps to a CSV file.

    Columns: step, minutes of training, loss, then for each of `levels` levels psnr (dB, against that stage's picture),
    taken (share of cells not kept) and usage (of the codebook, 1 if all outputs are equally busy). Cells of levels
    that are not in training yet are empty. Opening it for a run resumed at `step` drops later rows.
    """

    def __init__(self, path: Path, levels: int, step: int) -> None:
        self._path, self._levels = path, levels
        names = [f"{name}_{level + 1}" for name in ("psnr", "taken", "usage") for level in range(levels)]
        head = ["step", "minutes", "loss", *names]
        kept = [row for row in _read(path) if int(row["step"]) <= step] if step else []
        self._earlier = float(kept[-1]["minutes"]) if kept else 0.0
        self._begun = time.monotonic()
        self._recent: list[Report] = []
        write_atomically(path, _as_csv([head, *([row[column] for column in head] for row in kept)]).encode())

    def add(self, report: Report) -> None:
        if self._recent and len(self._recent[-1].psnr) != len(report.psnr):
            self._recent.clear()
        self._recent.append(report)
        if report.step % STEPS_PER_ROW == 0:
            self._write_row()

    def close(self) -> None:
        """Write what is left of the steps since the last row."""
        if self._recent:
            self._write_row()

    def _write_row(self) -> None:
        minutes = self._earlier + (time.monotonic() - self._begun) / 60
        row = [str(self._recent[-1].step), f"{minutes:.3f}", f"{fmean(r.loss for r in self._recent):.6g}"]
        for name in ("psnr", "taken", "usage"):
            columns = zip(*(getattr(report, name) for report in self._recent), strict=True)
            values = [f"{fmean(column):.4f}" for column in columns]
            row += values + [""] * (self._levels - len(values))
        with open(self._path, "a", encoding="utf-8", newline="") as file:
            file.write(_as_csv([row]))
        self._recent.clear()


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _as_csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
