"""Recurrence iteration, chain dropout, learn residual and leak (Yang 2025), each compared with the plain model.

Models of digits with LEVELS levels of OUTPUTS outputs, trained alike except for one option.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import click
import numpy as np
import torch
from PIL import Image

from benchmarks.arguments import digits_option, library_errors, out_option
from benchmarks.compare.rows import write_rows
from bitstream import Planes
from ddncodec.coding.engine import Engine
from ddncodec.metrics import finite_psnr
from ddncodec.model import LevelConfig
from ddncodec.training.config import Phase, Recipe, StartConfig
from ddncodec.training.data.augmentation import Augmentation
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.recipes import MNIST

LEVELS, OUTPUTS, SIDE = 6, 32, 28
BATCH, START_CROPS = 32, 6000
RANDOM = 0.3
"""Share of random indices in the measurement `disturbed`."""
SHOWN = 16
CSV_NAME, PICTURE_NAME = "options.csv", "options.png"


@dataclass(frozen=True)
class OptionRow:
    """One option: `numbers` of parameters in the network, and mean PSNR in dB over `digits` test digits.

    `chosen` is the PSNR of greedy choice; in `disturbed` a share RANDOM of the indices is random, and the encoder
    chooses the others with these fixed. `seconds` is the processor time of training.
    """

    option: str
    steps: int
    digits: int
    numbers: int
    chosen: float
    disturbed: float
    seconds: float


def recipes(steps: int) -> dict[str, Recipe]:
    """The recipe of each option, the plain one first; each other differs from it in one field."""
    levels = (LevelConfig(SIDE, OUTPUTS),) * LEVELS
    stage = replace(MNIST.network.stages[0], levels=levels)
    network = replace(MNIST.network, stages=(stage,))
    plain = replace(
        MNIST,
        network=network,
        phases=(Phase(until=steps, stages=1, batch=BATCH, crop=SIDE),),
        start=StartConfig(crops=START_CROPS),
    )
    return {
        "single shot": plain,
        "recurrence iteration": replace(plain, network=replace(network, stages=(replace(stage, shared=True),))),
        "chain dropout": replace(plain, loss=replace(plain.loss, chain_dropout=0.1)),
        "no residual": replace(plain, network=replace(network, residual=False)),
        "no leak": replace(plain, network=replace(network, choice_embedding=False)),
    }


def train_model(recipe: Recipe, pictures: Pictures, path: Path) -> tuple[Engine, float]:
    """Train, write the weights to `path`, and load them; also returns the processor seconds of training."""
    from ddncodec.training.principal import start_from_components
    from ddncodec.training.release import release
    from ddncodec.training.state import TrainState
    from ddncodec.training.trainer import train_step
    from ddncodec.zoo.loading import load_model

    device, start = torch.device("cpu"), time.process_time()
    state = TrainState(recipe, device)
    start_from_components(state, pictures)
    while state.step < recipe.steps:
        train_step(state, pictures, device, autocast=False)
    seconds = time.process_time() - start
    info = release(state, pictures, path, name=path.stem, about="one option of the paper", autocast=False, images=20)
    return Engine(load_model(info, device), device), seconds


def measure(option: str, steps: int, engine: Engine, digits: np.ndarray, seconds: float) -> OptionRow:
    """Measure a trained model on test digits (n, 28, 28, 3) uint8."""
    from bitstream import Header
    from ddncodec.coding.encoder import encode

    header = Header(engine.model.info.identity, SIDE, SIDE, lambda_step=0)
    headers, random = [header] * len(digits), np.random.default_rng(0)
    chosen = [each.planes for each in encode(engine, digits, headers)]
    some = [_some_random(random) for _ in digits]
    disturbed = [each.planes for each in encode(engine, digits, headers, some)]
    return OptionRow(
        option,
        steps,
        len(digits),
        numbers=sum(parameter.numel() for parameter in engine.model.network.parameters()),
        chosen=_psnr(engine.replay(chosen, headers), digits),
        disturbed=_psnr(engine.replay(disturbed, headers), digits),
        seconds=seconds,
    )


def draw(engine: Engine) -> np.ndarray:
    """SHOWN samples of a model, all outputs equally likely, (n, 28, 28, 3) uint8; the same indices for every model."""
    from bitstream import Header
    from ddncodec.generation.sampling import draw_planes

    header, random = Header(engine.model.info.identity, SIDE, SIDE, lambda_step=0), np.random.default_rng(1)
    layout, probabilities = engine.model.info.layout, engine.model.probabilities
    planes = [draw_planes(layout, probabilities, header, random, "uniform") for _ in range(SHOWN)]
    return engine.replay(planes, [header] * SHOWN)


def _some_random(random: np.random.Generator) -> Planes:
    from ddncodec.coding.encoder import UNKNOWN

    drawn = random.integers(OUTPUTS, size=LEVELS)
    known = random.random(LEVELS) < RANDOM
    return [np.array([[index if fixed else UNKNOWN]], np.int32) for index, fixed in zip(drawn, known)]


def _psnr(pictures: np.ndarray, digits: np.ndarray) -> float:
    return fmean(finite_psnr(original, picture) for original, picture in zip(digits, pictures))


@click.command()
@digits_option
@click.option("--steps", default=400, show_default=True, type=click.IntRange(1), help="Training steps for each option.")
@click.option("--digits", default=500, show_default=True, type=click.IntRange(1), help="Number of test digits.")
@out_option(f"Folder for {CSV_NAME}, {PICTURE_NAME} and the weights.")
def options(data: Path, steps: int, digits: int, out: Path) -> None:
    """Train a small model of digits with each option of the paper, and compare.

    The picture has a row of samples for each.
    """
    from ddncodec.generation.sampling import sheet

    out.mkdir(parents=True, exist_ok=True)
    rows, samples = [], []
    with library_errors():
        pictures, tested = Pictures(data / "train.zip", Augmentation(mirror=0.0)), Pictures(data / "test.zip")
        shown = np.stack([tested.picture(index) for index in range(min(digits, len(tested)))])
        click.echo("option                 numbers  chosen  disturbed  seconds")
        for option, recipe in recipes(steps).items():
            engine, seconds = train_model(recipe, pictures, out / f"{option.replace(' ', '-')}.safetensors")
            row = measure(option, steps, engine, shown, seconds)
            click.echo(f"{option:20} {row.numbers:9}  {row.chosen:6.2f}  {row.disturbed:9.2f}  {seconds:7.0f}")
            rows.append(row)
            samples.extend(draw(engine))
    write_rows(out / CSV_NAME, rows, OptionRow)
    Image.fromarray(sheet(samples, SHOWN)[..., 0]).save(out / PICTURE_NAME, optimize=True)
