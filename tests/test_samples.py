"""Samples in [-1, 1] and 8-bit levels: every level comes back, and what lies between or beyond goes to the nearest."""

from __future__ import annotations

import numpy as np
import torch

from ddncodec.samples import to_pixels, to_samples


def test_samples_span_minus_one_to_one() -> None:
    samples = to_samples(np.array([[[[0, 255, 51]]]], np.uint8))
    assert samples.shape == (1, 3, 1, 1)
    torch.testing.assert_close(samples.flatten(), torch.tensor([-1.0, 1.0, -0.6]))


def test_every_level_comes_back() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(2, 8, 16, 1)
    np.testing.assert_array_equal(to_pixels(to_samples(levels)), levels)


def test_pictures_that_cannot_be_written_to_are_read() -> None:
    levels = np.full((1, 2, 2, 3), 9, np.uint8)
    levels.flags.writeable = False
    to_samples(levels).zero_()
    assert (levels == 9).all()


def test_samples_are_rounded_and_clipped() -> None:
    samples = torch.tensor([-1.5, -0.999, 0.99, 2.0]).view(1, 1, 1, 4)
    assert to_pixels(samples).flatten().tolist() == [0, 0, 254, 255]
