"""The shape of a network, as data: frozen dataclasses that travel inside the weights file as JSON."""

from __future__ import annotations

import dataclasses
import json

from ddncodec.errors import ArgumentError

PATCH = 4
"""Side, in output pixels, of the square that one trunk position paints; a stage of stride r emits at stride r/4."""
FIXED_LAMBDA = 256.0
"""The lambda of models with one rate; their streams need not name it."""
MAX_PRINCIPAL = 2048
"""Positions of principal components are stored in half precision, which holds integers up to here."""
CONDITIONS = ("none", "class", "gray", "edges")
FILE_KEYS = {"choice_embedding": "leak", "condition": "given"}
"""Keys of the JSON in weights files where they differ from the names of fields."""
FIELD_NAMES = {key: name for name, key in FILE_KEYS.items()}


@dataclasses.dataclass(frozen=True)
class LevelConfig:
    """One Discrete Distribution Layer: `outputs` = K candidates for each cell of `cell` x `cell` full-size pixels.

    `features` is how many features it learns; None: as many as its stage says. Without a `block` of its own it goes on
    from the trunk and the base prediction of the level before.
    """

    cell: int
    outputs: int
    features: int | None = None
    block: bool = True


@dataclasses.dataclass(frozen=True)
class StageConfig:
    """Levels that share a trunk of `channels` at `stride`, with `features` learned and up to `basis` DCT features.

    `shared` is the recurrence iteration of Yang 2025: one block serves all levels of the stage, and a level of its own
    has only a level embedding, its codebook and its choice embedding.

    `principal` > 0 is for pictures of one cell that all show the same kind of thing. The basis of a level is then
    `basis` of so many principal components of the training pictures in place of cosines, the walk begins with their
    mean, and the trunk is told where in the cell it is. Candidates mix whole components, with their colours.
    """

    stride: int
    channels: int
    features: int
    basis: int
    levels: tuple[LevelConfig, ...]
    shared: bool = False
    principal: int = 0

    @property
    def scale(self) -> int:
        """Side in full-size pixels of one pixel of the picture that this stage emits."""
        return self.stride // PATCH


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """A single-shot generator, coarse to fine (ARCHITECTURE.md, Network).

    `codebook` is "gram-lloyd" (closed form) or "gradient" (Algorithm 1, Yang 2025). `choice_embedding` adds a learned
    embedding of the chosen index to the trunk (`leak_choice` in the paper's reference code). `residual` adds what a
    level proposes to the picture so far; without it, a level proposes whole pictures. `smallest_lambda` and
    `largest_lambda` bound lambda, in squared 8-bit sample levels per bit; both are FIXED_LAMBDA in a model with one
    rate. `condition` is what encoder and decoder know of a picture in advance (see `model.condition`): nothing
    ("none"), which of `classes` classes it is of ("class"), its gray picture ("gray") or its edges ("edges").
    """

    stages: tuple[StageConfig, ...]
    codebook: str = "gram-lloyd"
    choice_embedding: bool = True
    residual: bool = True
    smallest_lambda: float = 32.0
    largest_lambda: float = 16384.0
    condition: str = "none"
    classes: int = 0

    def __post_init__(self) -> None:
        if self.codebook not in ("gram-lloyd", "gradient"):
            raise ArgumentError(f"`codebook` (={self.codebook!r}) must be 'gram-lloyd' or 'gradient'")
        if not 0 < self.smallest_lambda <= self.largest_lambda:
            raise ArgumentError(f"`smallest_lambda` (={self.smallest_lambda}) must be in (0, {self.largest_lambda}]")
        if self.smallest_lambda == self.largest_lambda != FIXED_LAMBDA:
            raise ArgumentError(f"`smallest_lambda` (={self.smallest_lambda}), the only one, must be {FIXED_LAMBDA}")
        if self.condition not in CONDITIONS:
            raise ArgumentError(f"`condition` (={self.condition!r}) must be one of {', '.join(CONDITIONS)}")
        if (self.classes > 1) != (self.condition == "class") or self.classes < 0:
            raise ArgumentError(
                f"`classes` (={self.classes}) must be at least 2 where `condition` is 'class', or else 0"
            )
        if not self.stages or self.stages[-1].stride != PATCH:
            raise ArgumentError(f"`stages` must end with a stage of stride {PATCH}, which emits at full size")
        for coarse, fine in zip(self.stages, self.stages[1:]):
            if coarse.stride != 2 * fine.stride:
                raise ArgumentError(f"`stride` (={fine.stride}) must be half of the stage before (={coarse.stride})")
        for stage in self.stages:
            if stage.principal and (len({level.cell for level in stage.levels}) > 1 or len(self.stages) > 1):
                raise ArgumentError("`principal` needs a single stage whose levels have equal `cell`")
            if stage.principal and not stage.basis <= stage.principal <= MAX_PRINCIPAL:
                raise ArgumentError(f"`principal` (={stage.principal}) must be {stage.basis}..{MAX_PRINCIPAL}")
            if not stage.levels[0].block:
                raise ArgumentError("the first of the `levels` of a stage must have a `block`")
            if stage.shared and len({(level.cell, level.features) for level in stage.levels}) > 1:
                raise ArgumentError("`levels` of a `shared` stage must have equal `cell` and `features`")
        previous = self.levels[0].cell
        for stage in self.stages:
            for level in stage.levels:
                if level.cell % stage.stride or previous % level.cell:
                    raise ArgumentError(
                        f"`cell` (={level.cell}) must divide {previous} and be a multiple of the stride {stage.stride}"
                    )
                if level.outputs < 2:
                    raise ArgumentError(f"`outputs` (={level.outputs}) must be at least 2")
                previous = level.cell

    @property
    def levels(self) -> tuple[LevelConfig, ...]:
        return tuple(level for stage in self.stages for level in stage.levels)

    @property
    def has_one_rate(self) -> bool:
        return self.smallest_lambda == self.largest_lambda

    @property
    def alignment(self) -> int:
        """Pictures are padded to a multiple of this many pixels."""
        return max(self.levels[0].cell, self.stages[0].stride)

    def to_json(self) -> str:
        """As JSON with the keys of weights files (FILE_KEYS); without `given` and `classes` where there is none."""
        fields = {FILE_KEYS.get(name, name): value for name, value in dataclasses.asdict(self).items()}
        if self.condition == "none":
            del fields["given"], fields["classes"]
        return json.dumps(fields, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> NetworkConfig:
        """Inverse of `to_json`. Raises ArgumentError where a field is missing, unknown or out of range."""
        try:
            fields = json.loads(text)
            stages = tuple(
                StageConfig(**{**stage, "levels": tuple(LevelConfig(**level) for level in stage["levels"])})
                for stage in fields.pop("stages")
            )
            if unknown := fields.keys() & FILE_KEYS:
                raise ArgumentError(f"network configuration has unknown fields: {', '.join(sorted(unknown))}")
            return NetworkConfig(stages=stages, **{FIELD_NAMES.get(key, key): value for key, value in fields.items()})
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ArgumentError(f"network configuration is not readable: {error}") from error
