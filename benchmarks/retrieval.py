"""Do pictures that share the beginning of their indices show the same? Beside nearest neighbours in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.errors import BenchmarkError

BATCH = 64


@dataclass(frozen=True)
class Retrieval:
    """Means over queries.

    `prefix` is the share of queries whose neighbours by longest shared prefix have their label (of several equally
    near ones, the share of them), `pixels` the same by least squared distance of samples, `chance` that of a random
    picture; `levels` is how long the shared prefixes are and `tied` how many pictures share them.
    """

    prefix: float
    pixels: float
    chance: float
    levels: float
    tied: float


def measure(paths: np.ndarray, samples: np.ndarray, labels: np.ndarray, queries: int) -> Retrieval:
    """The first `queries` of n pictures against the others: paths (n, L), samples (n, P) float32, labels (n,)."""
    from ddncodec.retrieval import shared_prefix

    length = shared_prefix(paths[:queries], paths[queries:])
    same = labels[:queries, None] == labels[None, queries:]
    nearest = length == length.max(axis=1, keepdims=True)
    stored = samples[queries:]
    distance = np.square(stored).sum(axis=1) - 2 * samples[:queries] @ stored.T
    return Retrieval(
        prefix=float(((same & nearest).sum(axis=1) / nearest.sum(axis=1)).mean()),
        pixels=float(same[np.arange(queries), distance.argmin(axis=1)].mean()),
        chance=float(same.mean()),
        levels=float(length.max(axis=1).mean()),
        tied=float(nearest.sum(axis=1).mean()),
    )


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path), help="Folder or zip of pictures.")
@click.option("--model", default="mnist", show_default=True, help="Name or weights file of a model of one cell.")
@click.option(
    "--label", type=click.Choice(["before", "after"]), default="after", show_default=True,
    help="Side of the last underscore of a file's name on which its label stands.",
)
@click.option("--queries", default=500, show_default=True, type=click.IntRange(1))
@click.option("--stored", default=5000, show_default=True, type=click.IntRange(1), help="Pictures searched.")
@click.option("--seed", default=0, show_default=True, help="Of the choice of pictures.")
def retrieval(data: Path, model: str, label: str, queries: int, stored: int, seed: int) -> None:
    """Compare neighbours by shared index prefix with neighbours by pixels."""
    from bitstream import Header
    from ddncodec import Codec, DdncError
    from ddncodec.encoder import choose_planes
    from ddncodec.retrieval import paths_of
    from ddncodec.training.pictures import Pictures

    try:
        codec, source = Codec(model), Pictures(data)
        chosen = np.random.default_rng(seed).permutation(len(source))[: queries + stored]
        pictures = np.stack([source.picture(int(index)) for index in chosen])
        header = Header(codec.info.identity, *pictures.shape[2:0:-1], lambda_step=codec.lambda_step(100))
        planes = []
        for start in range(0, len(pictures), BATCH):
            part = pictures[start : start + BATCH]
            planes += choose_planes(codec.engine, part, [header] * len(part))
        paths = paths_of(planes)
    except DdncError as error:
        raise BenchmarkError(str(error)) from error
    stems = [Path(source.names[index]).stem.rpartition("_") for index in chosen]
    labels = np.array([stem[0] if label == "before" else stem[2] for stem in stems])
    samples = pictures.reshape(len(pictures), -1).astype(np.float32) / 255
    found = measure(paths, samples, labels, min(queries, len(paths) // 2))
    click.echo(
        f"same label as the neighbour: {found.prefix:.1%} by shared prefix ({found.levels:.2f} levels, "
        f"{found.tied:.1f} pictures tied), {found.pixels:.1%} by pixels, {found.chance:.1%} by chance"
    )
