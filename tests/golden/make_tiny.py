"""Trains a frozen model of the tests. Run by hand only; golden streams die with the old one.

python tests/golden/make_tiny.py --replace tiny
python tests/golden/make_tiny.py --replace foretold
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
import tempfile
from pathlib import Path

import torch

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from drawing import draw_folder

from ddncodec.training.data.pictures import Pictures
from ddncodec.training.recipes import TINY
from ddncodec.training.release import release
from ddncodec.training.state import TrainState
from ddncodec.training.trainer import train

CHANNELS = {"tiny": 0, "foretold": 8}
"""Channels of the index prior of each model; "tiny" has simple tables alone."""
STEPS = 1200
ABOUT = "Frozen model of the tests; a minute of training on pictures drawn by code"


def main() -> None:
    if len(sys.argv) != 3 or sys.argv[1] != "--replace":
        sys.exit("the models are frozen: golden streams need them. --replace NAME makes another.")
    name, path = sys.argv[2], Path(__file__).with_name(f"{sys.argv[2]}.safetensors")
    torch.set_num_threads(1)
    cpu = torch.device("cpu")
    state = TrainState(
        dataclasses.replace(TINY.lengthened(STEPS), prior=dataclasses.replace(TINY.prior, channels=CHANNELS[name])), cpu
    )
    with tempfile.TemporaryDirectory() as folder:
        pictures = Pictures(draw_folder(Path(folder) / "pictures", 48))
        train(state, pictures, Path(folder), cpu, autocast=False)
        info = release(state, pictures, path, name=name, about=ABOUT, images=150, progress=print)
    print(info.identity.hex(), hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


if __name__ == "__main__":
    main()
