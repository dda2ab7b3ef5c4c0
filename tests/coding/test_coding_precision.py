"""Which precision a name stands for, and that streams do not depend on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ddncodec.codec import Codec
from ddncodec.coding import precision
from ddncodec.coding.precision import PRECISION_VARIABLE, precision_of
from ddncodec.errors import ArgumentError

CPU = torch.device("cpu")


@pytest.mark.parametrize(("has", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_is_bfloat16_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, has: bool, expected: torch.dtype
) -> None:
    monkeypatch.delenv(PRECISION_VARIABLE, raising=False)
    monkeypatch.setattr(precision, "has_bfloat16", lambda: has)
    assert precision_of("auto", CPU) == expected
    assert precision_of("float32", CPU) == torch.float32
    assert precision_of("auto", torch.device("cuda")) == torch.float32


def test_a_variable_of_the_environment_names_what_auto_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PRECISION_VARIABLE, "bfloat16")
    assert precision_of("auto", CPU) == torch.bfloat16
    assert precision_of("float32", CPU) == torch.float32
    monkeypatch.setenv(PRECISION_VARIABLE, "float16")
    with pytest.raises(ArgumentError, match="float16"):
        precision_of("auto", CPU)


@pytest.mark.parametrize("arguments", [{"precision": "float16"}, {"threads": 0}, {"threads": 1025}])
def test_other_values_are_refused(tiny_path: Path, arguments: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        Codec(tiny_path, **arguments)  # type: ignore[arg-type]


def test_both_precisions_read_the_same_indices(
    tiny_path: Path, drawn_picture: Callable[[int, int, int], np.ndarray]
) -> None:
    codecs = [Codec(tiny_path, precision=name) for name in ("float32", "bfloat16")]
    for writer in codecs:
        data = writer.encode(drawn_picture(70, 50, 3), 80)
        planes = [reader.planes(data) for reader in codecs]
        assert all(np.array_equal(a, b) for a, b in zip(*planes, strict=True))
        pictures = [reader.decode_array(data).astype(int) for reader in codecs]
        assert np.abs(pictures[0] - pictures[1]).max() <= 4
