"""Zero-shot conditional generation on faces: super-resolution against bicubic, and colourisation against gray."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from PIL import Image

from benchmarks.compare.metrics import psnr
from benchmarks.compare.rows import write_rows
from benchmarks.datasets import FACE_SIDE, astronaut_face, load_picture, picture_paths
from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    from ddncodec import Codec
    from ddncodec.generation.guidance import Scorer
    from ddncodec.generation.tasks import GuidanceTask

CSV_NAME, PICTURE_NAME = "guidance.csv", "guidance.png"
SIDE, FACTOR = FACE_SIDE, 4
JUDGES = 3
"""Pictures, none of those measured, on which weights are judged."""
LATE = 8
"""Last levels that a second round goes over."""
Weights = tuple[float, ...]


@dataclass(frozen=True)
class GuidanceRow:
    """One picture made from what is given of it.

    `method` is what made it: the baseline; "condition", by the condition alone, looking at `pool` candidates a level;
    "weighed", with nearness to the baseline as a second scorer; "again", the same with a second round; "all", by the
    condition alone, looking at all candidates; "corrected", that with what is given put back in; "trained", by a model
    trained on gray pictures, every index 0. `psnr` is against the original, in dB over RGB, `error` how far it is off
    the condition, root mean square in samples of 0..1.
    """

    image: str
    task: str
    method: str
    weights: str
    pool: int
    psnr: float
    error: float


@dataclass(frozen=True)
class Task:
    """`reduce` makes what is given out of an original, `baseline` a picture out of that.

    `correct` adds to a picture what it lacks to be given as it was: the enlarged error, or the error of gray.
    """

    name: str
    baseline_name: str
    reduce: Callable[[Image.Image], Image.Image]
    baseline: Callable[[Image.Image], Image.Image]

    def correct(self, picture: Image.Image, given: Image.Image) -> Image.Image:
        wanted, found = (np.asarray(self.baseline(each), float) for each in (given, self.reduce(picture)))
        return Image.fromarray((np.asarray(picture, float) + wanted - found).round().clip(0, 255).astype(np.uint8))


TASKS = (
    Task(
        "super-resolution",
        "bicubic",
        lambda original: original.reduce(FACTOR),
        lambda given: given.resize((SIDE, SIDE), Image.Resampling.BICUBIC),
    ),
    Task("colorize", "gray", lambda original: original.convert("L"), lambda given: given.convert("RGB")),
)


@dataclass(frozen=True)
class Case:
    """One picture and one task."""

    name: str
    task: Task
    original: Image.Image
    given: Image.Image
    baseline: Image.Image
    condition: GuidanceTask

    @staticmethod
    def of(name: str, original: Image.Image, task: Task) -> Case:
        from ddncodec.generation.tasks import TASKS as CONDITIONS

        if original.size != (SIDE, SIDE):
            raise BenchmarkError(f"{name} is {original.width} x {original.height} pixels, must be {SIDE} x {SIDE}")
        given = task.reduce(original)
        return Case(name, task, original, given, task.baseline(given), CONDITIONS[task.name](given, FACTOR))

    def row(self, method: str, picture: Image.Image, weights: Weights = (), pool: int = 0) -> GuidanceRow:
        error = self.condition.error(np.asarray(picture))
        shown = " ".join(f"{weight:g}" for weight in weights)
        return GuidanceRow(
            self.name, self.task.name, method, shown, pool, round(psnr(self.original, picture), 4), round(error, 5)
        )

    def make(self, codec: Codec, weights: Weights, pool: int | None, rounds: int = 1) -> Image.Image:
        """By the condition, and by nearness to the baseline where there is a second weight."""
        from bitstream import Header
        from ddncodec.generation.guidance import Guide, guided_planes

        scorers = (_of_whole(self.condition.scorer), _nearness(self.baseline))[: len(weights)]
        guide = Guide(scorers, weights, pool, rounds, LATE)
        header = Header(codec.info.identity, SIDE, SIDE, lambda_step=codec.lambda_step(100))
        planes = guided_planes(codec.engine, guide, header, np.random.default_rng(0))
        return Image.fromarray(codec.engine.replay([planes], [header])[0])


def weigh(codec: Codec, cases: Sequence[Case], pool: int) -> Weights:
    """Weights of the condition and of nearness to the baseline, searched on a few pictures; best is the mean PSNR."""
    from ddncodec.generation.guidance import search_weights

    def judge(weights: Weights) -> float:
        return -statistics.fmean(psnr(case.original, case.make(codec, weights, pool)) for case in cases)

    return search_weights(judge, 2)


def measure(
    codec: Codec, trained: Codec, case: Case, weights: Weights, pool: int
) -> tuple[list[GuidanceRow], list[Image.Image]]:
    """Rows of all methods, and a strip: original, what is given, baseline, "all", "corrected", "trained"."""
    rows, alone = [case.row(case.task.baseline_name, case.baseline)], (1.0,)
    for method, used, rounds in (("condition", alone, 1), ("weighed", weights, 1), ("again", weights, 2)):
        rows.append(case.row(method, case.make(codec, used, pool, rounds), used, pool))
    best = case.make(codec, alone, None)
    corrected = case.task.correct(best, case.given)
    outputs = max(level.outputs for level in codec.info.layout)
    rows += [case.row("all", best, alone, outputs), case.row("corrected", corrected, alone, outputs)]
    shown = case.given.convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST)
    strip = [case.original, shown, case.baseline, best, corrected]
    if case.task.name == "colorize":
        strip.append(imagine(trained.condition(case.given)))
        rows.append(case.row("trained", strip[-1]))
    else:
        strip.append(Image.new("RGB", (SIDE, SIDE), "white"))
    return rows, strip


def imagine(codec: Codec) -> Image.Image:
    """What a conditional model makes of what it is given when nothing is chosen."""
    from bitstream import Header

    header = Header(codec.info.identity, SIDE, SIDE, lambda_step=codec.lambda_step(100))
    planes = [np.zeros((1, 1), np.int32) for _ in codec.info.layout]
    return Image.fromarray(codec.engine.replay([planes], [header])[0])


def render(rows: Sequence[GuidanceRow]) -> str:
    """A Markdown table of means over pictures."""
    lines = ["| task | method | weights | candidates | PSNR (dB) | off the condition (RMS, of 255) |",
             "| --- | --- | --- | ---: | ---: | ---: |"]  # fmt: skip
    for task, method in dict.fromkeys((row.task, row.method) for row in rows):
        group = [row for row in rows if (row.task, row.method) == (task, method)]
        quality, error = (statistics.fmean(getattr(row, name) for row in group) for name in ("psnr", "error"))
        lines.append(
            f"| {task} | {method} | {group[0].weights} | {group[0].pool or ''} | {quality:.2f} | {255 * error:.2f} |"
        )
    return "\n".join([*lines, "", f"Pictures: {len({row.image for row in rows})}."])


def _of_whole(scorer: Scorer) -> Scorer:
    return lambda pictures: scorer(pictures).mean(dim=(1, 2))


def _nearness(wanted: Image.Image) -> Scorer:
    import torch

    samples = torch.from_numpy(np.asarray(wanted, np.float32) / 255).permute(2, 0, 1)
    return lambda pictures: (pictures - samples.to(pictures)).square().mean(dim=(1, 2, 3))


@click.command()
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of faces of 64 x 64 pixels.  [default: scikit-image's astronaut]",
)
@click.option(
    "--judges",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=f"Of others, on the first {JUDGES} of which weights are searched.  [default: all weights 0.25]",
)
@click.option("--limit", default=24, show_default=True, type=click.IntRange(1), help="Evenly spaced pictures of all.")
@click.option("--model", default="face64", show_default=True, help="Name or weights file of a model of one cell.")
@click.option("--trained", default="face64-color", show_default=True, help="Of a model that is given gray pictures.")
@click.option(
    "--pool",
    default=64,
    show_default=True,
    type=click.IntRange(2),
    help='Candidates looked at a level, but by "all" and "corrected", which look at all.',
)
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help=f"For {CSV_NAME} and {PICTURE_NAME}."
)
def guidance(
    images: Path | None, judges: Path | None, limit: int, model: str, trained: str, pool: int, out: Path
) -> None:
    """Enlarge and colour faces by conditions alone, without training for it, and compare with bicubic and gray.

    The picture has two rows for each face: enlarged and coloured. From the left: the original, what is given, the
    baseline, the picture by the condition alone, that corrected, and the colours of a model trained for it.
    """
    from ddncodec import Codec, ModelError
    from ddncodec.generation.sampling import sheet

    try:
        codec, colors = Codec(model), Codec(trained)
    except ModelError as error:
        raise BenchmarkError(str(error)) from error
    faces = _load(images, limit) if images else {"astronaut": astronaut_face()}
    rows, pictures, weights = [], [], {}
    for task in TASKS:
        trials = [Case.of(name, face, task) for name, face in _load(judges, JUDGES).items()] if judges else []
        weights[task] = weigh(codec, trials, pool) if trials else (0.25, 0.25)
    cases = [Case.of(name, face, task) for name, face in faces.items() for task in TASKS]
    with click.progressbar(cases, label="guiding", file=sys.stderr, hidden=not sys.stderr.isatty()) as shown:
        for case in shown:
            found, made = measure(codec, colors, case, weights[case.task], pool)
            rows += found
            pictures += [np.asarray(picture) for picture in made]
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / CSV_NAME, rows, GuidanceRow)
    Image.fromarray(sheet(pictures, len(made))).save(out / PICTURE_NAME, optimize=True)
    click.echo(render(rows))


def _load(folder: Path, limit: int) -> dict[str, Image.Image]:
    paths = picture_paths(folder)
    return {path.name: load_picture(path) for path in paths[:: max(1, len(paths) // limit)][:limit]}
