"""PSNR: its definition, and what an exact copy has."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ddncodec.metrics import PSNR_OF_A_COPY, finite_psnr, psnr

BLACK = np.zeros((2, 2, 3), np.uint8)


def test_psnr_is_that_of_the_mean_squared_error_of_all_samples() -> None:
    wrong = BLACK.copy()
    wrong[0, 0] = 255
    assert psnr(BLACK, BLACK + 1) == pytest.approx(20 * math.log10(255))
    assert psnr(BLACK, wrong) == pytest.approx(10 * math.log10(4))
    assert psnr(wrong, BLACK) == psnr(BLACK, wrong) == finite_psnr(BLACK, wrong)


def test_an_exact_copy_has_no_error() -> None:
    assert psnr(BLACK, BLACK) == math.inf
    assert finite_psnr(BLACK, BLACK) == PSNR_OF_A_COPY
