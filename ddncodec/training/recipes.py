"""Training recipes by name."""

from __future__ import annotations

import dataclasses

from ddncodec.coding.visual_weights import VISUAL
from ddncodec.model import LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.config import FIXED_LAMBDA
from ddncodec.training.config import (
    CodebookConfig,
    LossConfig,
    OptimizerConfig,
    Phase,
    PriorConfig,
    Recipe,
    StartConfig,
    VisualConfig,
)
from ddncodec.training.data.augmentation import PLAIN, Augmentation


def _levels(count: int, cell: int, outputs: int, features: int | None = None) -> tuple[LevelConfig, ...]:
    return (LevelConfig(cell, outputs, features),) * count


PHOTO = Recipe(
    network=NetworkConfig(
        stages=(
            StageConfig(
                stride=16, channels=128, features=16, basis=24,
                levels=_levels(2, cell=64, outputs=128) + _levels(3, cell=32, outputs=256),
            ),
            StageConfig(
                stride=8, channels=128, features=16, basis=24,
                levels=_levels(2, cell=32, outputs=256) + _levels(3, cell=16, outputs=256),
            ),
            StageConfig(
                stride=4, channels=96, features=16, basis=24,
                levels=_levels(3, cell=16, outputs=256)
                + _levels(5, cell=8, outputs=256)
                + _levels(4, cell=4, outputs=256, features=8),
            ),
        ),
        smallest_lambda=48.0,
        largest_lambda=12288.0,
    ),
    phases=(
        Phase(until=500, stages=1, batch=12, crop=256),
        Phase(until=1100, stages=2, batch=6, crop=256),
        Phase(until=9000, stages=3, batch=3, crop=192),
    ),
    augmentation=Augmentation(flip_and_transpose=0.15, downscale=0.5, color_jitter=0.4, synthetic=0.05),
    prior=PriorConfig(channels=32, joint_from=4000),
)  # fmt: skip

PHOTO_GPU = dataclasses.replace(
    PHOTO,
    phases=(*PHOTO.phases[:2], Phase(until=12000, stages=3, batch=32, crop=256)),
    optimizer=OptimizerConfig(learning_rate=7e-4, decay_from=0.0),
    codebook=CodebookConfig(decay=0.98, decay_late=0.998, solve_every=16, split_every=100),
    prior=dataclasses.replace(PHOTO.prior, learning_rate=7.5e-3),
)
"""Batches that fill a GPU, to continue from model photo (`--init photo`)."""

PHOTO_VISUAL = dataclasses.replace(
    PHOTO,
    phases=(*PHOTO.phases[:2], Phase(until=9000, stages=3, batch=4, crop=192)),
    optimizer=OptimizerConfig(learning_rate=1.5e-4, warmup=10, decay_from=0.3, average=0.98),
    codebook=CodebookConfig(decay=0.98, decay_late=0.995, split_every=100),
    visual=VisualConfig(VISUAL),
    accumulate=8,
)
"""32 crops a step, half of them weighted as the eye sees them, to continue from model photo (`--init photo`) on a
processor; two processes want `--accumulate 4`."""

THUMB = dataclasses.replace(
    PHOTO,
    phases=(
        Phase(until=500, stages=1, batch=48, crop=64),
        Phase(until=1100, stages=2, batch=32, crop=64),
        Phase(until=9000, stages=3, batch=24, crop=64),
    ),
    optimizer=OptimizerConfig(learning_rate=4e-4),
    codebook=CodebookConfig(decay=0.996, decay_late=0.999),
    augmentation=PLAIN,
)
"""Whole thumbnails of photographs, and faces; continues from model photo."""

TINY = Recipe(
    network=NetworkConfig(
        stages=(
            StageConfig(stride=8, channels=8, features=2, basis=6, levels=_levels(1, cell=16, outputs=4)),
            StageConfig(
                stride=4, channels=8, features=2, basis=6,
                levels=_levels(1, cell=16, outputs=4) + _levels(1, cell=8, outputs=8) + _levels(1, cell=4, outputs=16),
            ),
        ),
        smallest_lambda=256.0,
        largest_lambda=32768.0,
    ),
    phases=(Phase(until=4, stages=1, batch=4, crop=32), Phase(until=60, stages=2, batch=4, crop=32)),
    optimizer=OptimizerConfig(warmup=5),
    codebook=CodebookConfig(split_every=10),
    prior=PriorConfig(channels=4, joint_from=30),
)  # fmt: skip

DIGIT = 28
"""Side of a picture of MNIST, which is one cell."""


def _mnist(steps: int, levels: tuple[LevelConfig, ...], *, shared: bool = False) -> Recipe:
    """Digits at a rate that is as good as fixed: lambda is so small that an index always pays."""
    stage = StageConfig(stride=4, channels=32, features=0, basis=64, levels=levels, shared=shared, principal=128)
    return Recipe(
        network=NetworkConfig((stage,), smallest_lambda=1.0, largest_lambda=2.0),
        phases=(Phase(until=steps, stages=1, batch=64, crop=DIGIT),),
        optimizer=OptimizerConfig(learning_rate=3e-3, warmup=20),
        loss=LossConfig(relative=True),
        codebook=CodebookConfig(decay=0.995, decay_late=0.998, solve_every=20, ridge_cells=2.0),
        start=StartConfig(crops=20_000),
        augmentation=Augmentation(mirror=0.0),
    )


MNIST = _mnist(1500, tuple(LevelConfig(DIGIT, 128, block=index % 4 == 0) for index in range(12)))
MNIST_RECURRENT = _mnist(1500, _levels(12, cell=DIGIT, outputs=128), shared=True)
MNIST_TREE = _mnist(1000, _levels(3, cell=DIGIT, outputs=8))
MNIST_CLASS = dataclasses.replace(
    MNIST,
    network=dataclasses.replace(MNIST.network, condition="class", classes=10),
    loss=dataclasses.replace(MNIST.loss, chain_dropout=0.1),
)


def _face64() -> Recipe:
    """The paper's setting: one index a level for the whole face. One block serves the choices of four levels."""
    levels = tuple(LevelConfig(64, 512, block=index % 4 == 0) for index in range(128))
    stage = StageConfig(stride=4, channels=64, features=0, basis=48, levels=levels, principal=800)
    return Recipe(
        network=NetworkConfig(
            (stage,), choice_embedding=False, smallest_lambda=FIXED_LAMBDA, largest_lambda=FIXED_LAMBDA
        ),
        phases=(Phase(until=4000, stages=1, batch=16, crop=64),),
        optimizer=OptimizerConfig(decay_from=0.3),
        loss=LossConfig(relative=True),
        codebook=CodebookConfig(decay=0.9998, decay_late=0.9998, solve_every=50, split_every=500, ridge_cells=2.0),
        start=StartConfig(crops=60_000, rounds=3),
        augmentation=Augmentation(margin=1),
    )


FACE64 = _face64()


def _face64_color() -> Recipe:
    """Colours for gray faces: 16 bytes at 8 bits a level."""
    levels = tuple(LevelConfig(64, 256, block=index % 2 == 0) for index in range(16))
    stage = StageConfig(stride=4, channels=48, features=0, basis=48, levels=levels, principal=192)
    return dataclasses.replace(
        FACE64,
        network=dataclasses.replace(FACE64.network, stages=(stage,), condition="gray"),
        phases=(Phase(until=1500, stages=1, batch=16, crop=64),),
        codebook=dataclasses.replace(FACE64.codebook, split_every=100, decay=0.999, decay_late=0.9995),
        start=dataclasses.replace(FACE64.start, crops=20_000),
    )


FACE64_COLOR = _face64_color()

RECIPES = {
    "photo": PHOTO,
    "photo-gpu": PHOTO_GPU,
    "photo-visual": PHOTO_VISUAL,
    "thumb": THUMB,
    "tiny": TINY,
    "face64": FACE64,
    "face64-color": FACE64_COLOR,
    "mnist": MNIST,
    "mnist-class": MNIST_CLASS,
    "mnist-recurrent": MNIST_RECURRENT,
    "mnist-tree": MNIST_TREE,
}
