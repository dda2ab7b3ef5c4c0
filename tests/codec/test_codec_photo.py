"""Model `photo`, as it is shipped, holds on pictures unlike photographs."""

import numpy as np
import pytest

from ddncodec.codec import Codec

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(scope="module")
def photo() -> Codec:
    return Codec("photo")


@pytest.mark.parametrize("colors", [(BLUE, RED), (RED, WHITE), (GREEN, BLUE)])
def test_pure_colours_side_by_side_gain_by_quality(photo: Codec, colors: tuple[tuple[int, int, int], ...]) -> None:
    picture = np.repeat(np.array([colors], np.uint8), 48, axis=1).repeat(96, axis=0)
    errors = []
    for quality in (0, 50, 100):
        decoded = photo.decode_array(photo.encode(picture, quality, effort=1))
        errors.append(np.square(decoded.astype(float) - picture).mean())
    assert errors[0] > errors[1] > errors[2]
    assert 10 * np.log10(255**2 / errors[1]) > 30
