"""A run's end: the weights file that comes out codes better than its ingredients, and says what it is."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import bitstream
from bitstream import Header, LevelTables
from bitstream.context import FEATURES, nonzero_scores
from bitstream.tables import LAMBDA_BUCKETS, SCORE_BINS, score_bins
from ddncodec.codec import Codec
from ddncodec.errors import ArgumentError
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.recipes import PHOTO, TINY
from ddncodec.training.release import release
from ddncodec.training.state import TrainState
from ddncodec.training.tables import Sample, fit_tables, initial_tables, value_frequencies
from ddncodec.training.trainer import train, train_step
from ddncodec.zoo.loading import load_model
from ddncodec.zoo.registry import find

RANDOM = np.random.default_rng(5)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, drawn_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("release")
    state = TrainState(TINY.lengthened(40), torch.device("cpu"))
    pictures = Pictures(drawn_folder)
    train(state, pictures, folder, torch.device("cpu"))
    release(state, pictures, folder / "out.safetensors", name="fresh", about="a test", images=12)
    return folder / "out.safetensors"


def test_released_model_encodes_and_decodes(released: Path, drawn_folder: Path) -> None:
    codec = Codec(released)
    picture = Pictures(drawn_folder).picture(0)
    decoded = np.asarray(codec.decode(codec.encode(picture, 80)))
    assert codec.info.name == "fresh"
    assert np.mean((decoded.astype(float) - picture) ** 2) < np.var(picture.astype(float))


def test_fitted_tables_code_smaller_than_flat_ones(released: Path, drawn_folder: Path) -> None:
    codec = Codec(released)
    data = codec.encode(Pictures(drawn_folder).picture(1), 40)
    header, planes, layout = bitstream.read_header(data), codec.planes(data), codec.info.layout
    flat = tuple(LevelTables.flat(level.outputs) for level in layout)
    passes = bitstream.encode_planes(planes, layout, header, flat)
    assert len(data) < len(bitstream.write_stream(header, passes))


def test_tables_of_nonzero_learn_from_the_features() -> None:
    features = RANDOM.integers(0, 2, (4000, FEATURES)).astype(np.int32)
    chance = np.where(features[:, 0] == 1, 0.9, 0.1)
    flags = RANDOM.random(4000) < chance
    values = np.ones((LAMBDA_BUCKETS, 4), np.int64)
    tables = fit_tables(Sample(features, np.zeros(4000, np.int64), flags, values))
    scores = features @ tables.weights[:-1] + tables.weights[-1]
    found = tables.p_nonzero[0][score_bins(scores.astype(np.int32))] / 65536
    assert np.abs(found - chance).max() < 0.12


def test_value_frequencies_follow_counts_and_stay_legal() -> None:
    counts = np.zeros((LAMBDA_BUCKETS, 255), np.int64)
    counts[3, 7] = 1_000_000
    frequencies = value_frequencies(counts)
    assert (frequencies.sum(axis=1) == 65536).all() and frequencies.min() >= 1
    assert frequencies[3].argmax() == 7 and frequencies[3, 7] > 60_000


def test_first_guess_reproduces_training_counts() -> None:
    steps = np.array([80, 120, 160, 200])
    taken = np.array([900.0, 700.0, 400.0, 100.0])
    guess = initial_tables(np.stack([1000 - taken, taken], axis=1), np.ones(7), steps)
    for step, count in zip(steps, taken):
        header = Header(bytes(8), 8, 8, lambda_step=int(step))
        layout = (bitstream.Level(8, 8),)
        score = nonzero_scores(guess.weights, [], 0, layout, header.width, header.height, header.lambda_step)
        assert abs(guess.p_nonzero[0][score_bins(score)[0, 0]] / 65536 - count / 1000) < 0.1
    assert guess.p_nonzero.shape == (2, SCORE_BINS)


def test_training_continues_from_released_weights(released: Path, drawn_folder: Path) -> None:
    network = load_model(find(released), torch.device("cpu")).network.requires_grad_(True)
    state = TrainState(TINY.tuning(6), torch.device("cpu"))
    state.adopt(network)
    codebook = state.network.layer(0).codebook.clone()
    first = train_step(state, Pictures(drawn_folder), torch.device("cpu"), autocast=False)
    fresh = TrainState(TINY.tuning(6), torch.device("cpu"))
    assert first.loss < train_step(fresh, Pictures(drawn_folder), torch.device("cpu"), autocast=False).loss
    assert torch.equal(state.network.layer(0).codebook, codebook), "codebooks were solved from empty sums"
    with pytest.raises(ArgumentError, match="another shape"):
        TrainState(dataclasses.replace(TINY, network=PHOTO.network), torch.device("cpu")).adopt(network)
