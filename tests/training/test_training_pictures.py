"""Crops are a function of their seed, from folders and archives alike; what cannot be read is a typed error."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddncodec.errors import ArgumentError, ImageError
from ddncodec.training.data.augmentation import Augmentation
from ddncodec.training.data.drawings import draw
from ddncodec.training.data.pictures import Pictures


@pytest.fixture
def archive(drawn_folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as file:
        for each in sorted(drawn_folder.iterdir()):
            file.write(each, each.name)
        file.writestr("notes.txt", "not a picture")
    return path


def test_crops_are_a_function_of_the_seed(drawn_folder: Path) -> None:
    one, other = Pictures(drawn_folder), Pictures(drawn_folder, cache=0)
    other.crops(3, 16, (9, 9, 9))
    assert torch.equal(one.crops(4, 32, (0, 7, 0)), other.crops(4, 32, (0, 7, 0)))
    for seed in ((1, 7, 0), (0, 8, 0), (0, 7, 1)):
        assert not torch.equal(one.crops(4, 32, (0, 7, 0)), one.crops(4, 32, seed))


def test_folder_and_archive_give_the_same_crops(drawn_folder: Path, archive: Path) -> None:
    folder, packed = Pictures(drawn_folder), Pictures(archive)
    assert len(folder) == len(packed) == 8
    assert torch.equal(folder.crops(4, 32, (1, 2, 3)), packed.crops(4, 32, (1, 2, 3)))


def test_crops_are_samples_of_the_pictures(drawn_folder: Path) -> None:
    crops = Pictures(drawn_folder).crops(6, 24, (0,))
    assert crops.shape == (6, 3, 24, 24)
    assert crops.dtype == torch.float32
    assert -1 <= crops.min() < crops.max() <= 1


def test_small_pictures_are_enlarged_to_the_crop(tmp_path: Path) -> None:
    Image.new("RGB", (10, 3), (255, 0, 128)).save(tmp_path / "small.png")
    crops = Pictures(tmp_path).crops(1, 32, (0,))
    assert crops.shape == (1, 3, 32, 32)
    torch.testing.assert_close(crops[0, :, 0, 0], torch.tensor([1.0, -1.0, 0.0]), rtol=0, atol=0.01)


def test_sources_without_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    for source in (tmp_path, tmp_path / "notes.txt", tmp_path / "absent"):
        with pytest.raises(ArgumentError, match="`data`"):
            Pictures(source)


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n" + bytes(30)])
def test_unreadable_pictures_are_image_errors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"broken\.png"):
        Pictures(tmp_path).picture(0)


def test_cache_holds_no_more_than_it_may(drawn_folder: Path) -> None:
    pictures = Pictures(drawn_folder, cache=2 * 96 * 112 * 3)
    assert pictures.picture(0) is pictures.picture(0)
    pictures.picture(1)
    assert pictures.picture(2) is not pictures.picture(2)
    np.testing.assert_array_equal(pictures.picture(2), pictures.picture(2))


def test_a_share_of_crops_is_drawn(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (7, 8, 9)).save(tmp_path / "plain.png")
    plain = Pictures(tmp_path).crops(1, 32, (0,))
    half = Pictures(tmp_path, Augmentation(synthetic=0.5)).crops(40, 32, (1,))
    photographs = sum(torch.equal(crop, plain[0]) for crop in half)
    assert 8 <= photographs <= 32
    assert not any(
        torch.equal(crop, plain[0]) for crop in Pictures(tmp_path, Augmentation(synthetic=1.0)).crops(20, 32, (2,))
    )
    assert all(
        torch.equal(crop, plain[0]) for crop in Pictures(tmp_path, Augmentation(synthetic=0.0)).crops(20, 32, (3,))
    )


@pytest.mark.parametrize(
    ("augmentation", "expected"),
    [
        (Augmentation(mirror=1.0), lambda a: a[:, ::-1]),
        (Augmentation(mirror=0.0, flip_and_transpose=1.0), lambda a: a[::-1].transpose(1, 0, 2)),
        (Augmentation(mirror=0.0), lambda a: a),
    ],
)
def test_crops_are_mirrored_and_turned(
    augmentation: Augmentation, expected: Callable[[np.ndarray], np.ndarray]
) -> None:
    """The crop of a picture of its own size is the whole of it."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    np.testing.assert_array_equal(augmentation.crop(pixels, 32, np.random.default_rng(1)), expected(pixels))


def test_reduced_crops_show_more_and_never_more_than_there_is() -> None:
    """Of a picture that is a ramp, a crop shows as many levels as its square has columns."""
    ramp = np.tile(np.arange(100, dtype=np.uint8)[None, :, None], (60, 1, 3))
    random, augmentation = np.random.default_rng(2), Augmentation(downscale=1.0)
    spans = [int(np.ptp(augmentation.crop(ramp, 40, random).astype(int))) for _ in range(60)]
    assert min(spans) < 45 and 55 < max(spans) < 60
    assert all(int(np.ptp(augmentation.crop(ramp, 60, random).astype(int))) == 59 for _ in range(5))


def test_toned_crops_differ_in_contrast_colour_and_brightness() -> None:
    pixels = np.tile(np.linspace(0, 255, 32).astype(np.uint8)[None, :, None], (32, 1, 3))
    random, augmentation = np.random.default_rng(3), Augmentation(mirror=0.0, color_jitter=1.0)
    for _ in range(20):
        toned = augmentation.crop(pixels, 32, random)
        assert toned.dtype == np.uint8 and not np.array_equal(toned, pixels)
        assert not np.array_equal(toned[..., 0], toned[..., 1])
        assert np.all(np.diff(toned.astype(int), axis=1) >= 0)
        middle = toned[0, 15:17].astype(int)
        assert np.all(abs(middle - 128) <= 26)


def test_conditional_networks_see_no_drawn_crops(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (7, 8, 9)).save(tmp_path / "plain_3.png")
    batch = Pictures(tmp_path, Augmentation(synthetic=1.0)).batch(4, 32, (0,), "class")
    assert torch.equal(batch.crops, batch.crops[:1].expand(4, -1, -1, -1))


@pytest.mark.parametrize("side", [16, 64, 192])
def test_drawings_are_a_function_of_their_generator(side: int) -> None:
    one, same, other = (draw(side, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one.shape == (side, side, 3) and one.dtype == np.uint8
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_drawings_have_pure_colours_and_hard_edges() -> None:
    random = np.random.default_rng(7)
    drawings = np.stack([draw(96, random) for _ in range(24)]).astype(int)
    pure = np.isin(drawings, (0, 255)).all(axis=3).mean(axis=(1, 2))
    assert (pure > 0.1).sum() >= 6, "pure colours"
    edges = abs(np.diff(drawings, axis=2)).max(axis=3)
    assert ((edges > 100).mean(axis=(1, 2)) > 0.001).sum() >= 6, "hard edges"
    assert ((edges == 0).mean(axis=(1, 2)) > 0.5).sum() >= 6, "plain areas"
