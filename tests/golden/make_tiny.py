"""Trains the frozen model of the tests, `tiny.safetensors`. Run by hand only; golden streams die with the old one.

    python tests/golden/make_tiny.py --replace
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

import torch

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from drawing import draw_folder

from ddncodec.training.config import TINY
from ddncodec.training.pictures import Pictures
from ddncodec.training.release import release
from ddncodec.training.state import TrainState
from ddncodec.training.trainer import train

MODEL = Path(__file__).with_name("tiny.safetensors")
STEPS = 1200
ABOUT = "Frozen model of the tests; a minute of training on pictures drawn by code"


def main() -> None:
    if sys.argv[1:] != ["--replace"]:
        sys.exit(f"{MODEL.name} is frozen: golden streams need it. --replace makes another.")
    torch.set_num_threads(1)
    cpu = torch.device("cpu")
    state = TrainState(TINY.lengthened(STEPS), cpu)
    with tempfile.TemporaryDirectory() as name:
        pictures = Pictures(draw_folder(Path(name) / "pictures", 48))
        train(state, pictures, Path(name), cpu, autocast=False)
        info = release(state, pictures, MODEL, name="tiny", about=ABOUT, images=150)
    print(info.identity.hex(), hashlib.sha256(MODEL.read_bytes()).hexdigest(), MODEL.stat().st_size)


if __name__ == "__main__":
    main()
