"""Two-dimensional density estimation: does Split-and-Prune keep K points where the target has its mass?

The toy problem of section 3.3 of Yang 2025: one Discrete Distribution Layer whose K outputs are K free points, each of
probability 1/K. Each sample of the target moves the nearest point towards itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import click
import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from benchmarks.arguments import out_option
from benchmarks.compare.rows import write_rows
from ddncodec.training.split_and_prune import plan_splits, split_rows

SIDE = 256
"""Targets are pictures of SIDE x SIDE pixels of constant density on the unit square."""
BINS = 64
"""Divergences are measured on a grid of BINS x BINS."""
BACKGROUND = 0.02
"""Uniform share of every target, so that no bin is empty."""
BATCH = 4000
METHODS = ("gradient", "split-and-prune", "samples")
CSV_NAME, TABLE_NAME, PICTURE_NAME = "density.csv", "density.md", "density.png"


@dataclass(frozen=True)
class DensityRow:
    """One distribution of `points` equally likely points against one target.

    `seen` is the number of samples of the target that it was fitted to. Divergences are in nats on BINS x BINS bins:
    `forward` is KL(target || points) with half a count added to every bin of the points, `reverse` KL(points ||
    target) without that.
    """

    target: str
    method: str
    points: int
    seen: int
    seed: int
    forward: float
    reverse: float
    seconds: float


def blurred_circles() -> np.ndarray:
    y, x = _grid()
    rings = [(0.35, 0.35, 0.2), (0.65, 0.6, 0.25), (0.3, 0.75, 0.12)]
    hits = [abs(np.hypot(y - row, x - col) - radius) < 0.02 for row, col, radius in rings]
    return gaussian_filter(np.logical_or.reduce(hits).astype(float), 3)


def spiral() -> np.ndarray:
    turn = np.linspace(0, 6 * np.pi, 20000)
    radius = 0.45 * turn / turn[-1]
    drawn, _, _ = np.histogram2d(
        0.5 + radius * np.sin(turn), 0.5 + radius * np.cos(turn), bins=SIDE, range=((0, 1), (0, 1)), weights=radius
    )
    return gaussian_filter(drawn, 2)


def gaussian_mixture() -> np.ndarray:
    y, x = _grid()
    parts = [(0.3, 0.3, 0.05, 0.4), (0.7, 0.35, 0.09, 0.25), (0.55, 0.75, 0.03, 0.2), (0.2, 0.8, 0.06, 0.15)]
    return sum(
        share / size**2 * np.exp(-((y - row) ** 2 + (x - col) ** 2) / (2 * size**2)) for row, col, size, share in parts
    )


def bitmap() -> np.ndarray:
    """A grid of 16 x 16 fields, each on or off at random (fixed seed), with hard edges."""
    fields_on = np.random.default_rng(21).random((16, 16)) < 0.4
    return np.kron(fields_on, np.ones((SIDE // 16, SIDE // 16)))


TARGETS: MappingProxyType[str, Callable[[], np.ndarray]] = MappingProxyType(
    {
        "blurred circles": blurred_circles,
        "spiral": spiral,
        "gaussian mixture": gaussian_mixture,
        "bitmap": bitmap,
    }
)


def density(name: str) -> np.ndarray:
    """The target `name`: probability of each pixel, (SIDE, SIDE) float64, sum 1, nowhere 0."""
    drawn = TARGETS[name]()
    return (1 - BACKGROUND) * drawn / drawn.sum() + BACKGROUND / drawn.size


def draw(target: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Samples (count, 2) float64 of a target, row and column in [0, 1)."""
    edges = np.cumsum(target.ravel())
    pixel = np.searchsorted(edges / edges[-1], random.random(count), side="right")
    return (np.stack(np.divmod(pixel, SIDE), axis=1) + random.random((count, 2))) / SIDE


def fit(target: np.ndarray, points: int, steps: int, seed: int, *, split_and_prune: bool) -> np.ndarray:
    """K points (points, 2) after `steps` gradient steps from a uniform start, with or without Algorithm 1.

    A step draws BATCH samples; every point that is nearest to some of them moves towards their mean, by a share that
    falls from 1/2 to 0 (gradient descent on the mean squared distance of its samples). Algorithm 1 runs every tenth
    step of the first nine tenths, on counts that decay by 1 % a step.
    """
    random = np.random.default_rng(seed)
    centers = torch.from_numpy(random.random((points, 2)))
    counts = torch.ones(points, dtype=torch.float64)
    for step in range(steps):
        samples = draw(target, BATCH, random)
        nearest = torch.from_numpy(cKDTree(centers.numpy()).query(samples)[1])
        hits = torch.bincount(nearest, minlength=points).double()
        sums = torch.zeros_like(centers).index_add_(0, nearest, torch.from_numpy(samples))
        pull = sums / hits.clamp(min=1)[:, None] - centers
        centers += 0.5 * (1 - step / steps) * (hits > 0)[:, None] * pull
        counts.mul_(0.99).add_(hits)
        if split_and_prune and step % 10 == 9 and step < 0.9 * steps:
            pairs, counts = plan_splits(counts, 0.5, points // 20, split_above=2.0)
            split_rows([centers], pairs)
    return centers.numpy()


def divergences(target: np.ndarray, points: np.ndarray) -> tuple[float, float]:
    """KL(target || points), smoothed by half a count a bin, and KL(points || target), in nats on BINS x BINS bins."""
    per = SIDE // BINS
    wanted = target.reshape(BINS, per, BINS, per).sum(axis=(1, 3))
    found, _, _ = np.histogram2d(*points.clip(0, 1).T, bins=BINS, range=((0, 1), (0, 1)))
    smooth = (found + 0.5) / (found + 0.5).sum()
    share = found[found > 0] / found.sum()
    return (
        float((wanted * np.log(wanted / smooth)).sum()),
        float((share * np.log(share / wanted[found > 0])).sum()),
    )


def measure(name: str, method: str, points: int, steps: int, seed: int) -> tuple[DensityRow, np.ndarray]:
    """Fit one distribution and measure it; returns the row and the points (points, 2)."""
    target, start = density(name), time.perf_counter()
    if method == "samples":
        centers, seen = draw(target, points, np.random.default_rng(seed)), points
    else:
        centers, seen = fit(target, points, steps, seed, split_and_prune=method != "gradient"), steps * BATCH
    seconds = time.perf_counter() - start
    return DensityRow(name, method, points, seen, seed, *divergences(target, centers), seconds), centers


def render_table(rows: Iterable[DensityRow]) -> str:
    """A Markdown table: a line for each target, a pair of divergences for each method."""
    rows = list(rows)
    found = {(row.target, row.method): row for row in rows}
    lines = [
        f"KL in nats on {BINS} x {BINS} bins, {rows[0].points} points: of target from points (half a count added to "
        "every bin) / of points from target.",
        "",
        "| target | " + " | ".join(METHODS) + " |",
        "| --- | " + " | ".join("---:" for _ in METHODS) + " |",
    ]
    for name in dict.fromkeys(row.target for row in rows):
        cells = (found[name, method] for method in METHODS)
        lines.append(f"| {name} | " + " | ".join(f"{row.forward:.3f} / {row.reverse:.3f}" for row in cells) + " |")
    samples = ", ".join(f"{method} {found[rows[0].target, method].seen}" for method in METHODS)
    return "\n".join([*lines, "", f"Samples of the target seen: {samples}.", ""])


def draw_points(points: np.ndarray) -> np.ndarray:
    """Points as a picture (SIDE, SIDE) uint8, white on black."""
    found, _, _ = np.histogram2d(*points.clip(0, 1).T, bins=SIDE, range=((0, 1), (0, 1)))
    return np.where(found > 0, 255, 0).astype(np.uint8)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    return y, x


@click.command(name="density")
@click.option("--points", default=10_000, show_default=True, type=click.IntRange(2), help="Number of points, K.")
@click.option(
    "--steps", default=1500, show_default=True, type=click.IntRange(1), help=f"Gradient steps, of {BATCH} samples each."
)
@click.option("--seed", default=0, show_default=True)
@out_option(f"Folder for {CSV_NAME}, {TABLE_NAME} and {PICTURE_NAME}.")
def density_command(points: int, steps: int, seed: int, out: Path) -> None:
    """Fit points to two-dimensional targets, with Split-and-Prune and without.

    The picture has a row for each target: the target, then the points by gradient only, the points by gradient and
    Split-and-Prune, and an equal number of samples of the target.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows, strips = [], []
    for name in TARGETS:
        target = density(name)
        panels = [(255 * (target / target.max()) ** 0.5).astype(np.uint8)]
        for method in METHODS:
            row, centers = measure(name, method, points, steps, seed)
            rows.append(row)
            panels.append(draw_points(centers))
        strips.append(np.hstack(panels))
    write_rows(out / CSV_NAME, rows, DensityRow)
    (out / TABLE_NAME).write_text(render_table(rows), encoding="utf-8")
    Image.fromarray(np.vstack(strips)).save(out / PICTURE_NAME, optimize=True)
    click.echo(render_table(rows), nl=False)
