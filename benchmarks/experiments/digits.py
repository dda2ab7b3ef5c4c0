"""Zero-shot conditional generation on MNIST: a digit classifier, trained in seconds, guides a model to each digit."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.arguments import digits_option, library_errors, out_option
from benchmarks.compare.rows import write_rows

SIDE = 28
CSV_NAME, PICTURE_NAME = "digits.csv", "digits.png"
TRAINED_ON = 15_000
"""Number of digits for each of the two classifiers, which share none."""


@dataclass(frozen=True)
class DigitRow:
    """Samples guided to one digit; with a `pool` of 1, samples without guidance.

    A class-conditional model gets the digit as its condition. `steered` is the accuracy by the classifier that guided,
    `judged` that by the other one, which was trained on other pictures and was not used for guidance.
    """

    model: str
    digit: int
    samples: int
    pool: int
    rounds: int
    steered: float
    judged: float
    seconds: float


def load_digits(path: Path, part: slice) -> tuple[Tensor, Tensor]:
    """Pictures (n, 1, 28, 28) float32 in [0, 1] and labels (n,) of part of a zip archive of `<index>_<label>.png`."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))[part]
        planes = [np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("L")) for name in names]
    labels = [int(name.removesuffix(".png").rpartition("_")[2]) for name in names]
    return torch.from_numpy(np.stack(planes))[:, None].float() / 255, torch.tensor(labels)


def train_classifier(digits: Tensor, labels: Tensor, channels: int, seed: int) -> nn.Module:
    """A small convolutional classifier, trained for two epochs: (n, 1, 28, 28) in [0, 1] -> logits (n, 10)."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(1, channels, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(2 * channels * 49, 10),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(2):
        for rows in torch.randperm(len(digits), generator=generator).split(64):
            noise = 0.2 * torch.randn(len(rows), 1, SIDE, SIDE, generator=generator)
            loss = nn.functional.cross_entropy(network(digits[rows] + noise), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


def accuracy(classifier: nn.Module, digits: Tensor, labels: Tensor) -> float:
    with torch.inference_mode():
        return float((classifier(digits).argmax(dim=1) == labels).float().mean())


def scorer_of(classifier: nn.Module, digit: int) -> Callable[[Tensor], Tensor]:
    """Scores (B,) of pictures (B, 3, 28, 28) in [0, 1]: minus the logarithm of the probability of `digit`."""
    return lambda pictures: -classifier(pictures.mean(dim=1, keepdim=True)).log_softmax(dim=1)[:, digit]


def steer(
    model: str, classifiers: tuple[nn.Module, nn.Module], digit: int, samples: int, pool: int, rounds: int
) -> tuple[DigitRow, np.ndarray]:
    """Samples of one digit, guided by the first classifier and classified by both; pictures (n, 28, 28, 3) uint8."""
    from bitstream import Header
    from ddncodec import Codec
    from ddncodec.generation.guidance import Guide, guided_planes
    from ddncodec.generation.sampling import draw_planes

    codec = Codec(model)
    if codec.engine.model.network.config.condition == "class":
        codec = codec.condition(digit)
    header, begun = Header(codec.info.identity, SIDE, SIDE, lambda_step=codec.lambda_step(100)), time.perf_counter()
    planes = []
    for number in range(samples):
        random = np.random.default_rng((digit, number))
        if pool == 1:
            planes.append(draw_planes(codec.info.layout, codec.engine.model.probabilities, header, random))
        else:
            guide = Guide((scorer_of(classifiers[0], digit),), pool=pool, rounds=rounds)
            planes.append(guided_planes(codec.engine, guide, header, random))
    pictures = codec.engine.replay(planes, [header] * samples)
    seconds = time.perf_counter() - begun
    gray = torch.from_numpy(pictures).float().mean(dim=3)[:, None] / 255
    shares = [accuracy(each, gray, torch.full((samples,), digit)) for each in classifiers]
    return DigitRow(codec.info.name, digit, samples, pool, rounds, shares[0], shares[1], seconds), pictures


def write_pictures(folder: Path, made: Sequence[np.ndarray]) -> None:
    """Write one file for each of the samples (n, 28, 28, 3) uint8 of each digit, in the order of the digits."""
    folder.mkdir(parents=True, exist_ok=True)
    for digit, each in enumerate(made):
        for number, picture in enumerate(each):
            Image.fromarray(picture[..., 0]).save(folder / f"{number:03}_{digit}.png")


@click.command()
@digits_option
@click.option("--model", default="mnist", show_default=True, help="Name or weights file of the model.")
@click.option("--samples", default=20, show_default=True, type=click.IntRange(1), help="Of each digit.")
@click.option(
    "--pool",
    default=16,
    show_default=True,
    type=click.IntRange(1),
    help="Candidates considered at each level; 1 means no guidance.",
)
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1))
@out_option(f"Folder for {CSV_NAME} and {PICTURE_NAME}.")
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write each sample to this folder, as <number>_<digit>.png, which `retrieval` reads.",
)
def digits(data: Path, model: str, samples: int, pool: int, rounds: int, out: Path, pictures: Path | None) -> None:
    """Guide a model of MNIST to each digit by a classifier, and measure with another one.

    A class-conditional model also gets the digit as its condition; with `--pool 1` it gets nothing else. The picture
    has a row for each digit.
    """
    from ddncodec.generation.sampling import sheet

    start = time.perf_counter()
    classifiers = (
        train_classifier(*load_digits(data / "train.zip", slice(0, 2 * TRAINED_ON, 2)), channels=16, seed=1),
        train_classifier(*load_digits(data / "train.zip", slice(1, 2 * TRAINED_ON, 2)), channels=24, seed=2),
    )
    trained = time.perf_counter() - start
    tested = load_digits(data / "test.zip", slice(None))
    shares = [accuracy(each, *tested) for each in classifiers]
    click.echo(f"classifiers: {trained:.0f} s of training, accuracy {shares[0]:.1%} and {shares[1]:.1%} on test digits")
    with library_errors():
        made = [steer(model, classifiers, digit, samples, pool, rounds) for digit in range(10)]
    rows = [row for row, _ in made]
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / CSV_NAME, rows, DigitRow)
    Image.fromarray(sheet([picture for _, each in made for picture in each], samples)[..., 0]).save(out / PICTURE_NAME)
    if pictures is not None:
        write_pictures(pictures, [each for _, each in made])
    for row in rows:
        click.echo(f"{row.digit}: {row.steered:6.1%} steered, {row.judged:6.1%} judged, {row.seconds:.0f} s")
    steered, judged = (float(np.mean([getattr(row, name) for row in rows])) for name in ("steered", "judged"))
    click.echo(f"all: {steered:.1%} steered, {judged:.1%} judged")
