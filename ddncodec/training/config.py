"""Training recipes by name: the network's shape and how its steps go."""

from __future__ import annotations

import dataclasses

from ddncodec.errors import ArgumentError
from ddncodec.model import LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.config import FIXED_LAMBDA
from ddncodec.training.data.augmentation import PLAIN, Augmentation

TUNING_PRIOR = 0.2
"""Share of its learning rate at which the index prior of a trained model goes on."""
TUNING_FINAL = 12.0
"""Weight of the last level's error in a trained model, whose pictures are mostly decoded to the end."""


@dataclasses.dataclass(frozen=True)
class Phase:
    """Until step `until`, train the first `stages` stages on `batch` crops of `crop` x `crop` pixels."""

    until: int
    stages: int
    batch: int
    crop: int


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that decides a run's weights besides its pictures. Steps count from 0; learning rates are AdamW's.

    `rate_warmup_steps` is how long the price of bits rises after a stage starts, while its codebooks settle;
    `solve_from` the first step at which codebooks are solved and split, for a run that begins with given ones and
    empty sums; `ridge_cells` how many cells with nothing to add each output is solved with, against outputs fitted
    to few. `start_crops` and `start_rounds` say how many crops, and rounds of Lloyd's algorithm, the closed-form
    start of a model on principal components takes. `relative` trains the bare logarithm of errors. `augmentation` says
    how crops differ from pictures; `chain_dropout` is the share of cells that go on from a random output instead of the
    chosen one (section 3.2, Yang 2025).
    `prior_channels` is how many channels the index prior has that is trained along with the network, 0 for none, and
    `prior_rate` its learning rate; from step `joint_from` on, indices are chosen at its prices. For `settle_steps`
    after the last one the averaged trunk is held, while its codebooks are solved from ever more cells and the index
    prior goes on (see `release`).
    """

    network: NetworkConfig
    phases: tuple[Phase, ...]
    learning_rate: float = 1e-3
    warmup: int = 100
    decay_from: float = 0.5
    average: float = 0.998
    codebook_decay: float = 0.99
    codebook_decay_late: float = 0.996
    solve_every: int = 4
    split_every: int = 40
    prune_below: float = 0.1
    final_weight: float = 2.0
    rate_warmup_steps: int = 300
    solve_from: int = 0
    ridge_cells: float = 0.0
    relative: bool = False
    start_crops: int = 0
    start_rounds: int = 4
    augmentation: Augmentation = PLAIN
    chain_dropout: float = 0.0
    prior_channels: int = 0
    prior_rate: float = 3e-3
    joint_from: int = 0
    settle_steps: int = 40
    seed: int = 0

    @property
    def steps(self) -> int:
        return self.phases[-1].until

    def phase(self, step: int) -> Phase:
        """The phase that a step belongs to."""
        return next(phase for phase in self.phases if step < phase.until)

    def lr_factor(self, step: int) -> float:
        """Learning rate at `step` as a share of `learning_rate`: warm-up, plateau, linear decay to 1 %."""
        start = self.decay_from * self.steps
        decay = 1 - 0.99 * max(0.0, step - start) / max(1.0, self.steps - start)
        return min(1.0, (step + 1) / self.warmup) * decay

    def tuning(self, steps: int) -> Recipe:
        """A recipe that goes on with trained weights: the last phase alone, for `steps` steps.

        A trained index prior learns at TUNING_PRIOR of its rate: at the whole of it, it learns the crops by heart.
        """
        phase = dataclasses.replace(self.phases[-1], until=steps)
        return dataclasses.replace(
            self, phases=(phase,), rate_warmup_steps=1, solve_from=200, joint_from=200,
            prior_rate=TUNING_PRIOR * self.prior_rate, final_weight=TUNING_FINAL,
        )  # fmt: skip

    def lengthened(self, steps: int) -> Recipe:
        """The same recipe with its last phase ending at `steps`."""
        if steps <= (self.phases[-2].until if len(self.phases) > 1 else 0):
            raise ArgumentError(f"`steps` (={steps}) must exceed the end of the phase before last")
        return dataclasses.replace(self, phases=(*self.phases[:-1], dataclasses.replace(self.phases[-1], until=steps)))


def _levels(*runs: tuple[int, ...]) -> tuple[LevelConfig, ...]:
    """Levels from runs of (count, cell, outputs) or (count, cell, outputs, features)."""
    return tuple(LevelConfig(*level) for count, *level in runs for _ in range(count))


PHOTO = Recipe(
    network=NetworkConfig(
        stages=(
            StageConfig(16, 128, 16, 24, _levels((2, 64, 128), (3, 32, 256))),
            StageConfig(8, 128, 16, 24, _levels((2, 32, 256), (3, 16, 256))),
            StageConfig(4, 96, 16, 24, _levels((3, 16, 256), (5, 8, 256), (4, 4, 256, 8))),
        ),
        smallest_lambda=48.0,
        largest_lambda=12288.0,
    ),
    phases=(Phase(500, 1, 12, 256), Phase(1100, 2, 6, 256), Phase(9000, 3, 3, 192)),
    augmentation=Augmentation(flip_and_transpose=0.15, downscale=0.5, color_jitter=0.4, synthetic=0.05),
    prior_channels=32,
    joint_from=4000,
)

PHOTO_GPU = dataclasses.replace(
    PHOTO,
    phases=(*PHOTO.phases[:2], Phase(12000, 3, 32, 256)),
    learning_rate=7e-4,
    decay_from=0.0,
    codebook_decay=0.98,
    codebook_decay_late=0.998,
    solve_every=16,
    split_every=100,
    prior_rate=7.5e-3,
)
"""Batches that fill a GPU, to go on with model photo (`--init photo`); its last run was of this kind."""

THUMB = dataclasses.replace(
    PHOTO,
    phases=(Phase(500, 1, 48, 64), Phase(1100, 2, 32, 64), Phase(9000, 3, 24, 64)),
    learning_rate=4e-4,
    codebook_decay=0.996,
    codebook_decay_late=0.999,
    augmentation=PLAIN,
)
"""Whole thumbnails of photographs, and faces; goes on from model photo."""

TINY = Recipe(
    network=NetworkConfig(
        stages=(
            StageConfig(8, 8, 2, 6, _levels((1, 16, 4))),
            StageConfig(4, 8, 2, 6, _levels((1, 16, 4), (1, 8, 8), (1, 4, 16))),
        ),
        smallest_lambda=256.0,
        largest_lambda=32768.0,
    ),
    phases=(Phase(4, 1, 4, 32), Phase(60, 2, 4, 32)),
    warmup=5,
    split_every=10,
    prior_channels=4,
    joint_from=30,
)

DIGIT = 28
"""Side of a picture of MNIST, which is one cell."""


def _mnist(steps: int, levels: tuple[LevelConfig, ...], *, shared: bool = False) -> Recipe:
    """Digits at a rate that is as good as fixed: lambda is so small that an index always pays."""
    stage = StageConfig(4, 32, 0, 64, levels, shared, principal=128)
    return Recipe(
        network=NetworkConfig((stage,), smallest_lambda=1.0, largest_lambda=2.0),
        phases=(Phase(steps, 1, 64, DIGIT),),
        learning_rate=3e-3,
        warmup=20,
        codebook_decay=0.995,
        codebook_decay_late=0.998,
        solve_every=20,
        ridge_cells=2.0,
        relative=True,
        start_crops=20_000,
        augmentation=Augmentation(mirror=0.0),
    )


MNIST = _mnist(1500, tuple(LevelConfig(DIGIT, 128, block=index % 4 == 0) for index in range(12)))
MNIST_RECURRENT = _mnist(1500, _levels((12, DIGIT, 128)), shared=True)
MNIST_TREE = _mnist(1000, _levels((3, DIGIT, 8)))


def _face64() -> Recipe:
    """The paper's setting: one index a level for the whole face. One block serves the choices of four levels."""
    levels = tuple(LevelConfig(64, 512, block=index % 4 == 0) for index in range(128))
    stage = StageConfig(4, 64, 0, 48, levels, principal=800)
    return Recipe(
        network=NetworkConfig(
            (stage,), choice_embedding=False, smallest_lambda=FIXED_LAMBDA, largest_lambda=FIXED_LAMBDA
        ),
        phases=(Phase(4000, 1, 16, 64),),
        decay_from=0.3,
        codebook_decay=0.9998,
        codebook_decay_late=0.9998,
        solve_every=50,
        split_every=500,
        ridge_cells=2.0,
        relative=True,
        start_crops=60_000,
        start_rounds=3,
        augmentation=Augmentation(margin=1),
    )


FACE64 = _face64()


def _face64_color() -> Recipe:
    """Colours for gray faces: 16 bytes at 8 bits a level."""
    levels = tuple(LevelConfig(64, 256, block=index % 2 == 0) for index in range(16))
    stage = StageConfig(4, 48, 0, 48, levels, principal=192)
    return dataclasses.replace(
        FACE64,
        network=dataclasses.replace(FACE64.network, stages=(stage,), condition="gray"),
        phases=(Phase(1500, 1, 16, 64),),
        split_every=100,
        codebook_decay=0.999,
        codebook_decay_late=0.9995,
        start_crops=20_000,
    )


FACE64_COLOR = _face64_color()
MNIST_CLASS = dataclasses.replace(
    MNIST, network=dataclasses.replace(MNIST.network, condition="class", classes=10), chain_dropout=0.1
)

RECIPES = {
    "photo": PHOTO,
    "photo-gpu": PHOTO_GPU,
    "thumb": THUMB,
    "tiny": TINY,
    "face64": FACE64,
    "face64-color": FACE64_COLOR,
    "mnist": MNIST,
    "mnist-class": MNIST_CLASS,
    "mnist-recurrent": MNIST_RECURRENT,
    "mnist-tree": MNIST_TREE,
}
