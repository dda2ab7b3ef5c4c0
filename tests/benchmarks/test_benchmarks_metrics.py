"""Metrics of known errors, and what they need."""

import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter

from benchmarks.compare.metrics import bits_per_pixel, decibels, metric_versions, ms_ssim, psnr, ssimulacra2

Metric = Callable[[Image.Image, Image.Image], float | None]

OPTIONAL = pytest.mark.parametrize(
    ("metric", "package", "side"), [(ms_ssim, "pytorch_msssim", 160), (ssimulacra2, "ssimulacra2", 255)]
)


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    """256 x 256 pixels of texture at every scale, drawn by code."""
    rng = np.random.default_rng(0)
    layers = [
        Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).resize((256, 256), Image.Resampling.BICUBIC)
        for side in (4, 16, 64, 256)
    ]
    return Image.fromarray(np.mean([np.asarray(layer) for layer in layers], axis=0).astype(np.uint8))


def test_psnr_of_known_errors() -> None:
    black = Image.new("RGB", (8, 8))
    assert psnr(black, black) == float("inf")
    assert psnr(black, Image.new("RGB", (8, 8), (255, 255, 255))) == pytest.approx(0)
    # A third of the samples off by 1: 10 log10(255^2 * 3).
    assert psnr(black, Image.new("RGB", (8, 8), (1, 0, 0))) == pytest.approx(52.9020, abs=1e-4)


def test_psnr_refuses_pictures_that_do_not_match() -> None:
    with pytest.raises(ValueError, match=r"\(8, 9\)"):
        psnr(Image.new("RGB", (8, 8)), Image.new("RGB", (8, 9)))
    with pytest.raises(ValueError, match="must be RGB"):
        psnr(Image.new("RGB", (8, 8)), Image.new("L", (8, 8)))


def test_rate_counts_every_byte() -> None:
    assert bits_per_pixel(100, width=20, height=10) == 4


@OPTIONAL
def test_a_copy_is_perfect_and_more_blur_is_worse(
    photograph: Image.Image, metric: Metric, package: str, side: int
) -> None:
    pytest.importorskip(package)
    blurred = [photograph.filter(ImageFilter.GaussianBlur(radius)) for radius in (0, 0.5, 1, 2)]
    values = [metric(photograph, picture) for picture in blurred]
    assert values[0] == pytest.approx(1 if metric is ms_ssim else 100)
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)


@OPTIONAL
def test_without_package_or_pixels_there_is_no_value(
    photograph: Image.Image, metric: Metric, package: str, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = photograph.crop((0, 0, 256, side))
    assert metric(small, small) is None
    monkeypatch.setitem(sys.modules, package, None)  # what makes `import` fail
    assert metric(photograph, photograph) is None


def test_ms_ssim_agrees_with_its_definition_where_that_is_simple() -> None:
    """Flat pictures have no structure: what is left is the luminance term of the last scale, to its exponent."""
    pytest.importorskip("pytorch_msssim")
    one, other, constant = 100, 120, (0.01 * 255) ** 2
    luminance = (2 * one * other + constant) / (one**2 + other**2 + constant)
    flat = [Image.new("RGB", (200, 200), (value,) * 3) for value in (one, other)]
    assert ms_ssim(*flat) == pytest.approx(luminance**0.1333, abs=1e-4)


@pytest.mark.parametrize(("shift", "score"), [(1, 96.15027098), (5, 89.73209436), (10, 80.29149136), (20, 59.77892918)])
def test_ssimulacra2_is_near_the_reference_program(shift: int, score: float) -> None:
    """Scores of libjxl's program for flat pictures, from imazen/ssimulacra2, ssimulacra2/src/reference_data.rs.

    In such a pair only the edges of the pictures matter, where the package differs from the program most.
    """
    pytest.importorskip("ssimulacra2")
    flat = [Image.new("RGB", (256, 256), (value,) * 3) for value in (128, 128 + shift)]
    assert ssimulacra2(*flat) == pytest.approx(score, abs=4)


def test_versions_are_of_what_measures() -> None:
    versions = metric_versions()
    for package, module in (("pytorch-msssim", "pytorch_msssim"), ("ssimulacra2", "ssimulacra2")):
        try:
            __import__(module)
        except ImportError:
            assert package not in versions
        else:
            assert f"{package} " in versions


def test_decibels_of_similarity() -> None:
    assert decibels(0.99) == pytest.approx(20)
    assert decibels(1.0) == 100
