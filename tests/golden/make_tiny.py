"""Trains the frozen model of the tests, `tiny.safetensors`. Run by hand only; golden streams die with the old one.

    python tests/golden/make_tiny.py --replace
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from drawing import draw_folder, draw_picture

from bitstream import BINS, BUCKETS, FEATURES, PROBABILITY_ONE, Header, LevelTables, flag_features, parity
from ddncodec.codec import Codec
from ddncodec.loading import save_model
from ddncodec.model import DiscreteDistributionNetwork
from ddncodec.training.config import TINY
from ddncodec.training.pictures import Pictures
from ddncodec.training.state import TrainState
from ddncodec.training.trainer import train

MODEL = Path(__file__).with_name("tiny.safetensors")
STEPS = 1200
ABOUT = "Frozen model of the tests; a minute of training on pictures drawn by code"


def main() -> None:
    if sys.argv[1:] != ["--replace"]:
        sys.exit(f"{MODEL.name} is frozen: golden streams need it. --replace makes another.")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    cpu = torch.device("cpu")
    state = TrainState(TINY.lengthened(STEPS), cpu)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train(state, Pictures(draw_folder(folder / "pictures", 48)), folder, cpu, autocast=False)
        network = state.average
        flat = tuple(LevelTables.flat(level.outputs) for level in network.config.levels)
        draft = save_model(folder / "draft.safetensors", network, flat, name="draft", about=ABOUT)
        tables = measure_tables(Codec(draft.path), network)
    info = save_model(MODEL, network, tables, name="tiny", about=ABOUT)
    print(info.identity.hex(), hashlib.sha256(MODEL.read_bytes()).hexdigest(), MODEL.stat().st_size)


def measure_tables(codec: Codec, network: DiscreteDistributionNetwork) -> tuple[LevelTables, ...]:
    """Tables fitted to the indices of drawn pictures at several qualities."""
    layout = codec.info.layout
    inputs: list[list[np.ndarray]] = [[] for _ in layout]
    outcomes: list[list[np.ndarray]] = [[] for _ in layout]
    counts = [np.ones((BUCKETS, level.outputs - 1)) for level in layout]
    for seed in range(24):
        for quality in (5, 20, 35, 50, 65, 80, 95):
            step = codec.lambda_step(quality)
            planes = codec.planes(codec.encode(draw_picture(80, 112, 1000 + seed), quality, "plain"))
            header = Header(codec.info.identity, 112, 80, lambda_step=step)
            flags = [plane != 0 for plane in planes]
            for level, plane in enumerate(planes):
                values = np.bincount(plane[plane != 0] - 1, minlength=layout[level].outputs - 1)
                counts[level] += 0.05 * values
                counts[level][step >> 5] += values
                for phase in (0, 1):
                    cells = parity(plane.shape) == phase
                    features = flag_features(flags, level, layout, header.width, header.height, step, phase)
                    inputs[level].append(features[:, cells].T)
                    outcomes[level].append(flags[level][cells])
    return tuple(
        LevelTables(_fit(np.concatenate(x), np.concatenate(y)), _logistic_bins(), _shares(count))
        for x, y, count in zip(inputs, outcomes, counts)
    )


def _fit(features: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Logistic regression: weights and bias in 1/256 logit, (FEATURES + 1,) int32."""
    x = torch.from_numpy(np.column_stack([features, np.ones(len(features))]))
    y = torch.from_numpy(taken).double()
    weights = torch.zeros(FEATURES + 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(x @ weights, y) + 1e-3 * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return (weights.detach() * 256).round().int().numpy()


def _logistic_bins() -> np.ndarray:
    """P(index != 0) of every bin, 1/8 logit each, the same in both phases."""
    logits = (np.arange(BINS) - BINS / 2 + 0.5) / 8
    row = (PROBABILITY_ONE / (1 + np.exp(-logits))).round().clip(1, PROBABILITY_ONE - 1)
    return np.stack([row, row]).astype(np.int32)


def _shares(counts: np.ndarray) -> np.ndarray:
    """Counts (BUCKETS, K - 1) as frequencies that sum to PROBABILITY_ONE."""
    shares = np.maximum(1, np.floor(counts / counts.sum(axis=1, keepdims=True) * PROBABILITY_ONE)).astype(np.int32)
    shares[np.arange(len(shares)), shares.argmax(axis=1)] += PROBABILITY_ONE - shares.sum(axis=1)
    return shares


if __name__ == "__main__":
    main()
