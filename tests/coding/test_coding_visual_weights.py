"""Errors weighted as the eye sees them: moments are exact, and weights are what they are said to be."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from torch import Tensor

from bitstream import Header
from ddncodec.codec import Codec
from ddncodec.coding import encoder, tiles, visual_weights
from ddncodec.coding.distortion import SquaredError
from ddncodec.coding.effort import EFFORTS
from ddncodec.coding.tiling import Tiling
from ddncodec.coding.visual_weights import VISUAL, VisualWeights, WeightedSquaredError, WeightMap, opponent
from ddncodec.errors import ArgumentError
from ddncodec.model.cells import cell_frequencies, cosine_basis, from_cells, unpack
from ddncodec.model.gram import Features

Draw = Callable[[int, int, int], np.ndarray]
SHAPES = [(1, 16, 8, 1), (2, 16, 24, 2), (4, 5, 3, 4), (1, 4, 0, 1)]
"""Side of a cell in trunk positions, cosine and learned features, scale."""
SMALL = Tiling(core=64, margin=64)
FLAT = VisualWeights(least=1.0, most=1.0, chroma=1.0, chroma_least=1.0, exponent=0.0)


def draw_problem(side: int, cosines: int, learned: int, scale: int) -> tuple[WeightMap, Features, Tensor, Tensor]:
    """Weights of 2 pictures of 3 x 2 cells, features and residuals of their cells, and 7 candidates."""
    random = torch.Generator().manual_seed(side + cosines)
    pixels, grid = 16 * side * side, (2, 3, 2)
    levels = 255 * torch.rand(2, 3, *(4 * side * scale * cells for cells in grid[1:]), generator=random)
    features = Features(
        torch.randn(*grid, cosines, generator=random).exp(),
        cosine_basis(side, cosines),
        torch.randn(*grid, pixels, learned, generator=random),
    )
    codebook = 0.3 * torch.randn(7, cosines + learned, 3, generator=random)
    codebook[0] = 0
    return WeightMap.of(VISUAL, levels), features, torch.randn(*grid, pixels, 3, generator=random), codebook


def weigh(difference: Tensor, side: int, scale: int, weights: VisualWeights) -> np.ndarray:
    """Weighted squared errors of cells (B, gh, gw, P, 3), except activity, straight from the definition."""
    length = 4 * side
    pictures = unpack(from_cells(difference, side)).numpy().astype(float)
    cells = pictures.reshape(*pictures.shape[:2], -1, length, difference.shape[2], length).transpose(0, 2, 4, 3, 5, 1)
    turned = dctn(cells @ opponent().numpy(), axes=(3, 4), norm="ortho")
    rows, cols = np.mgrid[:length, :length] / (2 * length * scale)
    cycles = np.maximum(np.hypot(rows, cols), 1e-9)
    luma = np.clip(weights.corner / cycles, weights.least, weights.most)
    chroma = luma * weights.chroma * np.clip(weights.chroma_corner / cycles, weights.chroma_least, 1)
    return (turned**2 * np.stack([luma, chroma, chroma], axis=-1)).sum(axis=(3, 4, 5))


def changes(measure: WeightedSquaredError, features: Features, residual: Tensor, codebook: Tensor) -> Tensor:
    """What each candidate changes of the error of each cell, by moments."""
    moments = measure.moments(features, measure.residual(residual))
    return moments @ measure.terms(codebook, features.gains.shape[-1]).T


@pytest.mark.parametrize(("side", "cosines", "learned", "scale"), SHAPES)
def test_changes_equal_those_of_candidates_built_and_weighed(side: int, cosines: int, learned: int, scale: int) -> None:
    weight_map, features, residual, codebook = draw_problem(side, cosines, learned, scale)
    measure = weight_map.at(side, scale)
    with torch.inference_mode():
        by_kernels = changes(measure, features, residual, codebook)
    found = changes(measure, features, residual, codebook)
    torch.testing.assert_close(by_kernels, found, rtol=1e-4, atol=1e-4 * float(found.abs().max()))
    found = found.double().numpy()
    for k, weight in enumerate(codebook):
        built = residual - features.combine(weight.expand(*features.grid, -1, -1))
        after, before = (weigh(each, side, scale, VISUAL) * measure.cells.numpy() for each in (built, residual))
        np.testing.assert_allclose(found[..., k], after - before, rtol=1e-4, atol=1e-4 * after.max())


@pytest.mark.parametrize(("side", "cosines", "learned", "scale"), SHAPES)
def test_moments_that_are_apart_tell_the_same(side: int, cosines: int, learned: int, scale: int) -> None:
    weight_map, features, residual, codebook = draw_problem(side, cosines, learned, scale)
    measure = weight_map.at(side, scale)
    apart = measure.apart(measure.moments(features, measure.residual(residual)), cosines, learned)
    expected = changes(measure, features, residual, codebook)
    torch.testing.assert_close(apart @ measure.terms_apart(codebook, cosines).T, expected, rtol=1e-4, atol=1e-2)


def test_pictures_that_are_not_visual_have_plain_errors() -> None:
    weight_map, features, residual, codebook = draw_problem(2, 16, 4, 1)
    measure = dataclasses.replace(weight_map, visual=torch.tensor([True, False])).at(2, 1)
    plain, moments = SquaredError(), measure.moments(features, measure.residual(residual))
    found = measure.apart(moments, 16, 4) @ measure.terms_apart(codebook, 16).T
    expected = plain.moments(features, residual) @ plain.terms(codebook, 16).T
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(measure.errors(measure.residual(residual))[1], plain.errors(residual)[1])
    assert not torch.allclose(found[0], expected[0], rtol=0.1)


def test_errors_are_weighed_by_frequency_colour_and_activity() -> None:
    weight_map, _, residual, _ = draw_problem(2, 16, 4, 2)
    measure = weight_map.at(2, 2)
    expected = weigh(residual, 2, 2, VISUAL) * measure.cells.numpy()
    np.testing.assert_allclose(measure.errors(measure.residual(residual)).numpy(), expected, rtol=1e-4)


def test_flat_weights_count_all_alike() -> None:
    weight_map, features, residual, codebook = draw_problem(2, 16, 4, 1)
    measure = WeightMap(FLAT, FLAT.activity(torch.rand(2, 3, 24, 16) * 255), weight_map.visual).at(2, 1)
    plain = SquaredError()
    expected = plain.moments(features, residual) @ plain.terms(codebook, 16).T
    torch.testing.assert_close(changes(measure, features, residual, codebook), expected, rtol=1e-4, atol=1e-2)


def test_activity_is_that_of_the_definition(drawn_picture: Draw) -> None:
    picture = drawn_picture(30, 41, 3)
    luma = picture.astype(float) @ visual_weights.LUMA
    around = np.pad(luma, 8, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, (17, 17))
    weights = (windows.var(axis=(2, 3)) + 100) ** -0.5
    weights /= np.exp(np.log(weights).mean())
    found = VISUAL.activity(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None])[0].numpy()
    assert found.shape == (8, 11)
    np.testing.assert_allclose(found[:7, :10], weights[:28, :40].reshape(7, 4, 10, 4).mean(axis=(1, 3)), rtol=1e-3)


def test_activity_does_not_depend_on_strips(monkeypatch: pytest.MonkeyPatch, drawn_picture: Draw) -> None:
    levels = torch.from_numpy(drawn_picture(75, 60, 5).copy()).permute(2, 0, 1)[None]
    whole = VISUAL.activity(levels)
    monkeypatch.setattr(visual_weights, "STRIP", 16)
    torch.testing.assert_close(VISUAL.activity(levels), whole)


def test_even_pictures_weigh_1_everywhere() -> None:
    torch.testing.assert_close(VISUAL.activity(torch.full((1, 3, 20, 24), 77.0)), torch.ones(1, 5, 6))


def test_tiles_have_the_weights_of_the_whole_picture(
    tiny_codec: Codec, monkeypatch: pytest.MonkeyPatch, drawn_picture: Draw
) -> None:
    picture, seen = drawn_picture(230, 300, 50), []
    whole = VISUAL.activity(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None])
    real = encoder.encode

    def spy(*args: object, **options: object) -> object:
        seen.append(args[6])
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(encoder, "encode", spy)
    header = Header(tiny_codec.info.identity, 300, 230, lambda_step=150)
    tiles.choose(dataclasses.replace(tiny_codec.engine, tiling=SMALL), picture, header, weights=VISUAL)
    parts = list(SMALL.tiles(230, 300))
    assert len(seen) == len(parts) > 1
    for tile, part in zip(parts, seen, strict=True):
        rows, cols = (slice(side.start // 4, -(-side.stop // 4)) for side in (tile.outer_rows, tile.outer_cols))
        assert torch.equal(part.activity, whole[:, rows, cols])


def test_tiled_choices_are_as_good_as_whole_ones(tiny_codec: Codec, tiny_path: Path, drawn_picture: Draw) -> None:
    picture = drawn_picture(230, 300, 51)
    whole, cut = (codec.encode(picture, 60, tune="visual") for codec in (tiny_codec, Codec(tiny_path, tiling=SMALL)))
    pairs = list(zip(tiny_codec.planes(whole), tiny_codec.planes(cut), strict=True))
    assert sum(int((a != b).sum()) for a, b in pairs) <= 0.02 * sum(a.size for a, _ in pairs)


def test_what_an_encoder_keeps_can_be_trained_with() -> None:
    visual_weights.opponent.cache_clear()
    visual_weights.opponent_cosines.cache_clear()
    weight_map, _, residual, _ = draw_problem(1, 4, 0, 1)
    with torch.inference_mode():
        measure = weight_map.at(1, 1)
        expected = measure.errors(measure.residual(residual.clone()))
    measure, wanted = weight_map.at(1, 1), residual.clone().requires_grad_()
    errors = measure.errors(measure.residual(wanted))
    errors.sum().backward()
    torch.testing.assert_close(errors.detach(), expected)
    assert wanted.grad is not None and wanted.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["tiny_codec", "prior_codec"])
@pytest.mark.parametrize("effort", [1, 3])
def test_visual_choices_move_errors_to_where_they_count_less(
    request: pytest.FixtureRequest, drawn_picture: Draw, name: str, effort: int
) -> None:
    codec: Codec = request.getfixturevalue(name)
    shares = {}
    for tune in ("visual", "psnr"):
        weighted = plain = 0.0
        for seed in range(4):
            picture = drawn_picture(96, 112, seed)
            measure = WeightMap.of(VISUAL, torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]).at(1, 1)
            data = codec.encode(picture, 60, tune=tune, effort=effort)
            difference = torch.from_numpy(codec.decode_array(data).astype(np.float32) - picture)
            cells = difference.view(24, 4, 28, 4, 3).permute(0, 2, 1, 3, 4).reshape(1, 24, 28, 16, 3)
            weighted += float(measure.errors(measure.residual(cells)).sum())
            plain += float(cells.square().sum())
        shares[tune] = weighted / plain
    assert shares["visual"] < 0.98 * shares["psnr"]


@pytest.mark.parametrize("height", [40, 37])
def test_gray_pictures_and_batches_are_encoded_alike(tiny_codec: Codec, drawn_picture: Draw, height: int) -> None:
    pictures = [drawn_picture(height, 56, seed) for seed in range(2)] + [drawn_picture(height, 56, 3)[:, :, 1]]
    together = tiny_codec.encode_batch(pictures, 70, tune="visual")
    assert together == [tiny_codec.encode(picture, 70, tune="visual") for picture in pictures]
    assert tiny_codec.decode(together[2]).mode == "L"


@pytest.mark.parametrize("name", ["filtered", "filtered-gray", "foretold", "foretold-odd"])
def test_psnr_gives_the_bytes_it_always_gave(name: str, codec_of: Callable[[str], Codec]) -> None:
    from golden.make_streams import encode_golden

    golden = Path(__file__).parents[1] / "golden" / f"v1-{name}.ddn"
    assert encode_golden(codec_of(name), name) == golden.read_bytes()


def test_models_on_principal_components_count_all_alike(drawn_picture: Draw) -> None:
    codec, face = Codec("mnist"), drawn_picture(28, 28, 1)[:, :, 0]
    header = Header(codec.info.identity, 28, 28, gray=True)
    plain, visual = (
        tiles.choose(codec.engine, np.repeat(face[:, :, None], 3, axis=2), header, None, EFFORTS[0], weights).planes
        for weights in (None, VISUAL)
    )
    assert all(np.array_equal(one, other) for one, other in zip(plain, visual, strict=True))


def test_unknown_tunes_are_told(tiny_codec: Codec, drawn_picture: Draw) -> None:
    with pytest.raises(ArgumentError, match=r"`tune` \(='ssim'\) must be one of visual, psnr"):
        tiny_codec.encode(drawn_picture(8, 8, 1), tune="ssim")


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_weights_do_not_follow_the_default_dtype(dtype: torch.dtype) -> None:
    levels = 255 * torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    expected = WeightMap.of(VISUAL, levels).at(1, 1)
    visual_weights.opponent.cache_clear()
    visual_weights.opponent_cosines.cache_clear()
    cell_frequencies.cache_clear()
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        found = WeightMap.of(VISUAL, levels).at(1, 1)
        assert opponent(levels.device).dtype == torch.float32
    finally:
        torch.set_default_dtype(before)
    assert torch.equal(found.cells, expected.cells) and torch.equal(found.coefficients, expected.coefficients)
