"""Convolutions are trained in the precision that the device has instructions for."""

from __future__ import annotations

import pytest
import torch

from ddncodec.training.precision import fast_precision


@pytest.mark.parametrize(("has_instructions", "expected"), [(True, "bfloat16"), (False, "float32")])
def test_a_processor_trains_in_bfloat16_where_it_need_not_emulate_it(
    has_instructions: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: has_instructions)
    assert fast_precision(torch.device("cpu")) == expected


def test_gpus_train_in_bfloat16() -> None:
    assert fast_precision(torch.device("cuda")) == "bfloat16"
