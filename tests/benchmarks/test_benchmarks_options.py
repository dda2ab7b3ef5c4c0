"""Each option differs from the plain recipe in one thing; all of them train, and come into rows and picture."""

from __future__ import annotations

import csv
import dataclasses
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.experiments import options


def _flat(recipe: object) -> dict[str, object]:
    """The fields of nested dataclasses, by path."""
    found: dict[str, object] = {}
    todo: list[tuple[str, object]] = [("", recipe)]
    while todo:
        path, value = todo.pop()
        if dataclasses.is_dataclass(value):
            todo += [(f"{path}.{field.name}", getattr(value, field.name)) for field in dataclasses.fields(value)]
        elif isinstance(value, tuple):
            todo += [(f"{path}[{number}]", each) for number, each in enumerate(value)]
        else:
            found[path] = value
    return found


def test_each_option_changes_one_thing() -> None:
    plain, *others = (_flat(recipe) for recipe in options.recipes(9).values())
    changed = [{path for path in plain if plain[path] != other[path]} for other in others]
    assert [len(paths) for paths in changed] == [1, 1, 1, 1]
    assert len(set.union(*changed)) == 4


def test_the_command_trains_all_and_writes_rows_and_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "START_CROPS", 200)
    random = np.random.default_rng(0)
    for name in ("train.zip", "test.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for number in range(20):
                data = io.BytesIO()
                Image.fromarray(random.integers(0, 256, (28, 28), np.uint8)).save(data, "PNG")
                archive.writestr(f"{number}_0.png", data.getvalue())
    words = ["options", "--data", tmp_path, "--steps", 1, "--digits", 5, "--out", tmp_path / "out"]
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    with (tmp_path / "out" / options.CSV_NAME).open(newline="") as file:
        rows = {row["option"]: row for row in csv.DictReader(file)}
    assert list(rows) == list(options.recipes(1))
    assert all(float(row["disturbed"]) < float(row["chosen"]) for name, row in rows.items() if name != "no residual")
    assert int(rows["recurrence iteration"]["numbers"]) < int(rows["single shot"]["numbers"]) / 2
    with Image.open(tmp_path / "out" / options.PICTURE_NAME) as picture:
        assert picture.size == (options.SHOWN * 30 - 2, 5 * 30 - 2)
