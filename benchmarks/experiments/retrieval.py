"""Do pictures that share an index prefix have the same label? Compared with nearest neighbours in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from PIL import Image

from benchmarks.arguments import library_errors

BATCH = 64
SHOWN = 12


@dataclass(frozen=True)
class Retrieval:
    """Means over queries.

    `prefix` is the share of queries whose neighbour by longest shared prefix has their label (ties count by their
    share), `pixels` the same by least squared distance of samples, `chance` that of a random picture; `levels` is the
    length of the shared prefixes and `tied` the number of pictures that share them.
    """

    prefix: float
    pixels: float
    chance: float
    levels: float
    tied: float


def measure(paths: np.ndarray, samples: np.ndarray, labels: np.ndarray, queries: int) -> Retrieval:
    """The first `queries` of n pictures against the others: paths (n, L), samples (n, P) float32, labels (n,)."""
    from ddncodec.generation.retrieval import shared_prefix

    length = shared_prefix(paths[:queries], paths[queries:])
    same = labels[:queries, None] == labels[None, queries:]
    nearest = length == length.max(axis=1, keepdims=True)
    distance = _distances(samples, queries)
    return Retrieval(
        prefix=float(((same & nearest).sum(axis=1) / nearest.sum(axis=1)).mean()),
        pixels=float(same[np.arange(queries), distance.argmin(axis=1)].mean()),
        chance=float(same.mean()),
        levels=float(length.max(axis=1).mean()),
        tied=float(nearest.sum(axis=1).mean()),
    )


def draw(pictures: np.ndarray, paths: np.ndarray, samples: np.ndarray, queries: int) -> np.ndarray:
    """The first SHOWN queries above their neighbours by prefix and by pixels, of pictures (n, H, W, 3) uint8."""
    from ddncodec.generation.retrieval import shared_prefix

    shown = range(min(SHOWN, queries))
    prefix = queries + shared_prefix(paths[:queries], paths[queries:]).argmax(axis=1)
    pixels = queries + _distances(samples, queries).argmin(axis=1)
    return np.vstack([np.hstack([pictures[row[i]] for i in shown]) for row in (np.arange(queries), prefix, pixels)])


def _distances(samples: np.ndarray, queries: int) -> np.ndarray:
    """Squared distances (queries, n - queries) of the first samples from the others, less a constant for each query."""
    stored = samples[queries:]
    return np.square(stored).sum(axis=1) - 2 * samples[:queries] @ stored.T


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path), help="Folder or zip of pictures.")
@click.option("--model", default="mnist", show_default=True, help="Name or weights file of a model of one cell.")
@click.option(
    "--label",
    type=click.Choice(["before", "after"]),
    default="after",
    show_default=True,
    help="Side of the last underscore of a file's name on which its label stands.",
)
@click.option("--queries", default=500, show_default=True, type=click.IntRange(1))
@click.option("--stored", default=5000, show_default=True, type=click.IntRange(1), help="Pictures searched.")
@click.option("--seed", default=0, show_default=True, help="Of the choice of pictures.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="PNG of some queries and their neighbours by both."
)
def retrieval(data: Path, model: str, label: str, queries: int, stored: int, seed: int, out: Path | None) -> None:
    """Compare neighbours by shared index prefix with neighbours by pixels."""
    from bitstream import Header
    from ddncodec import Codec
    from ddncodec.coding.encoder import encode
    from ddncodec.generation.retrieval import paths_of
    from ddncodec.training.data.pictures import Pictures

    with library_errors():
        codec, source = Codec(model), Pictures(data)
        chosen = np.random.default_rng(seed).permutation(len(source))[: queries + stored]
        pictures = np.stack([source.picture(int(index)) for index in chosen])
        header = Header(codec.info.identity, *pictures.shape[2:0:-1], lambda_step=codec.lambda_step(100))
        planes = []
        for start in range(0, len(pictures), BATCH):
            part = pictures[start : start + BATCH]
            planes += [each.planes for each in encode(codec.engine, part, [header] * len(part))]
        paths = paths_of(planes)
    stems = [Path(source.names[index]).stem.rpartition("_") for index in chosen]
    labels = np.array([stem[0] if label == "before" else stem[2] for stem in stems])
    samples = pictures.reshape(len(pictures), -1).astype(np.float32) / 255
    count = min(queries, len(paths) // 2)
    found = measure(paths, samples, labels, count)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(pictures, paths, samples, count)).save(out, optimize=True)
    click.echo(
        f"same label as the neighbour: {found.prefix:.1%} by shared prefix ({found.levels:.2f} levels, "
        f"{found.tied:.1f} pictures tied), {found.pixels:.1%} by pixels, {found.chance:.1%} by chance"
    )
