"""The first screen follows from the rows: who needs fewer bytes at which score, how long it takes, where ddnc loses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.compare.equal_score import EVERYDAY, equal_scores
from benchmarks.compare.headline import Headline, headline
from benchmarks.compare.page_data import costs_by_machine
from benchmarks.compare.rows import RdRow

Rows = Callable[..., list[RdRow]]


def first_screen(rows: list[RdRow]) -> Headline | None:
    return headline(equal_scores(rows), costs_by_machine(rows))


def test_sizes_are_ratios_at_equal_score(rows_of: Rows) -> None:
    rows = rows_of("ddnc", rate=0.5) + rows_of("jpeg") + rows_of("avif", rate=0.4)
    scores = {(each.rival, each.score): each for each in equal_scores(rows)}
    assert {score for _, score in scores} == set(EVERYDAY["psnr"])
    assert scores["jpeg", 31].percent == pytest.approx(-50)
    assert scores["avif", 31].percent == pytest.approx(25)
    found = first_screen(rows)
    assert found is not None
    assert found.sentences[0] == (
        "At equal PSNR ddnc needs 25 % more bytes than AVIF tune=iq and 50 % fewer bytes than JPEG (libjpeg-turbo)."
    )
    assert "It loses by PSNR to AVIF tune=iq (+25 %)" in found.sentences[-1]
    ((metric, bars),) = found.groups
    assert (metric.name, [bar.rival for bar in bars]) == ("psnr", ["avif", "jpeg"])


def test_a_score_that_most_pictures_miss_is_left_out(rows_of: Rows) -> None:
    rows = [row for image in ("a.png", "b.png", "c.png") for row in rows_of("ddnc", image)]
    rows += rows_of("jpeg", "a.png") + [row for image in ("b.png", "c.png") for row in rows_of("jpeg", image, gain=-30)]
    assert equal_scores(rows) == []
    assert first_screen(rows) is None


def test_times_of_another_machine_are_not_compared(rows_of: Rows) -> None:
    ddnc = [replace(row, encode_cpu=0.16, decode_cpu=0.08) for row in rows_of("ddnc", rate=0.5)]
    jpeg = [replace(row, encode_cpu=0.0016, decode_cpu=0.0008) for row in rows_of("jpeg")]
    here, there = first_screen(ddnc + jpeg), first_screen(ddnc + [replace(row, machine="another") for row in jpeg])
    assert here is not None and there is not None
    assert here.sentences[1].startswith(
        "A megapixel takes ddnc 20 s to encode and 10 s to decode, JPEG (libjpeg-turbo) 0.2 s and 0.1 s (processor"
    )
    assert "decoding takes longer than with any other codec" in here.sentences[2]
    assert "JPEG" not in there.sentences[1] and "takes longer" not in there.sentences[2]
    tables = costs_by_machine(ddnc + [replace(row, machine="another") for row in jpeg])
    assert [[each.codec for each in costs] for _, costs in tables] == [["ddnc"], ["jpeg"]]
