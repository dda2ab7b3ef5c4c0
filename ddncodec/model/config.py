"""The shape of a network, as data: frozen dataclasses that travel inside the weights file as JSON."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any, Literal, TypeVar

from ddncodec.errors import ArgumentError

PATCH = 4
"""Side, in output pixels, of the square that one trunk position paints; a stage of stride r emits at stride r/4."""
FIXED_LAMBDA = 256.0
"""The lambda of models with one rate; their streams need not name it."""
MAX_PRINCIPAL = 2048
"""Positions of principal components are stored in half precision, which holds integers up to here."""
CodebookKind = Literal["gram-lloyd", "gradient"]
ConditionKind = Literal["none", "class", "gray", "edges"]
FILE_KEYS = {"choice_embedding": "leak", "condition": "given"}
"""Keys of the JSON in weights files where they differ from the names of fields."""
FIELD_NAMES = {key: name for name, key in FILE_KEYS.items()}


@dataclasses.dataclass(frozen=True)
class LevelConfig:
    """One Discrete Distribution Layer: `outputs` = K candidates for each cell of `cell` x `cell` full-size pixels.

    `features` is how many features it learns; None: as many as its stage says. Without a `block` of its own it uses the
    trunk and the base prediction of the level before.
    """

    cell: int
    outputs: int
    features: int | None = None
    block: bool = True

    def __post_init__(self) -> None:
        if self.cell < 1:
            raise ArgumentError(f"`cell` (={self.cell}) must be at least 1")
        if self.outputs < 2:
            raise ArgumentError(f"`outputs` (={self.outputs}) must be at least 2")


@dataclasses.dataclass(frozen=True)
class StageConfig:
    """Levels that share a trunk of `channels` at `stride`, with `features` learned and up to `basis` DCT features.

    `shared` is the recurrence iteration of Yang 2025: one block serves all levels of the stage, and a level of its own
    has only a level embedding, its codebook and its choice embedding.

    `principal` > 0 is for pictures of one cell that all show the same kind of thing. The basis of a level is then
    `basis` of `principal` principal components of the training pictures in place of cosines, the decoded picture
    starts from their mean, and the trunk has an embedding of the position in the cell. Candidates mix whole components,
    with their colours.
    """

    stride: int
    channels: int
    features: int
    basis: int
    levels: tuple[LevelConfig, ...]
    shared: bool = False
    principal: int = 0

    def __post_init__(self) -> None:
        if self.stride < 1 or not self.levels:
            raise ArgumentError(f"a stage must have `levels` and a `stride` (={self.stride}) of at least 1")
        previous = self.levels[0].cell
        for level in self.levels:
            if level.cell % self.stride or previous % level.cell:
                raise ArgumentError(
                    f"`cell` (={level.cell}) must divide {previous} and be a multiple of the stride {self.stride}"
                )
            previous = level.cell
        if self.principal and len({level.cell for level in self.levels}) > 1:
            raise ArgumentError("`principal` needs levels of equal `cell`")
        if self.principal and not self.basis <= self.principal <= MAX_PRINCIPAL:
            raise ArgumentError(f"`principal` (={self.principal}) must be {self.basis}..{MAX_PRINCIPAL}")
        if not self.levels[0].block:
            raise ArgumentError("the first of the `levels` of a stage must have a `block`")
        if self.shared and len({(level.cell, level.features) for level in self.levels}) > 1:
            raise ArgumentError("`levels` of a `shared` stage must have equal `cell` and `features`")

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
    codebook: CodebookKind = "gram-lloyd"
    choice_embedding: bool = True
    residual: bool = True
    smallest_lambda: float = 32.0
    largest_lambda: float = 16384.0
    condition: ConditionKind = "none"
    classes: int = 0

    def __post_init__(self) -> None:
        _check_choice("codebook", self.codebook, CodebookKind)
        _check_choice("condition", self.condition, ConditionKind)
        if not 0 < self.smallest_lambda <= self.largest_lambda:
            raise ArgumentError(f"`smallest_lambda` (={self.smallest_lambda}) must be in (0, {self.largest_lambda}]")
        if self.smallest_lambda == self.largest_lambda != FIXED_LAMBDA:
            raise ArgumentError(f"`smallest_lambda` (={self.smallest_lambda}), the only one, must be {FIXED_LAMBDA}")
        if (self.classes > 1) != (self.condition == "class") or self.classes < 0:
            raise ArgumentError(
                f"`classes` (={self.classes}) must be at least 2 where `condition` is 'class', or else 0"
            )
        if not self.stages or self.stages[-1].stride != PATCH:
            raise ArgumentError(f"`stages` must end with a stage of stride {PATCH}, which emits at full size")
        for coarse, fine in zip(self.stages, self.stages[1:]):
            if coarse.stride != 2 * fine.stride:
                raise ArgumentError(f"`stride` (={fine.stride}) must be half of the stage before (={coarse.stride})")
            if coarse.levels[-1].cell % fine.levels[0].cell:
                raise ArgumentError(f"`cell` (={fine.levels[0].cell}) must divide {coarse.levels[-1].cell}")
        if len(self.stages) > 1 and any(stage.principal for stage in self.stages):
            raise ArgumentError("`principal` needs a network of a single stage")

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

    def padded(self, height: int, width: int) -> tuple[int, int]:
        """The size of a picture after padding to multiples of `alignment`, in pixels."""
        return height + -height % self.alignment, width + -width % self.alignment

    def to_json(self) -> str:
        """As JSON with the keys of weights files (FILE_KEYS); without `given` and `classes` where there is none."""
        fields = {FILE_KEYS.get(name, name): value for name, value in dataclasses.asdict(self).items()}
        if self.condition == "none":
            del fields["given"], fields["classes"]
        return json.dumps(fields, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> NetworkConfig:
        """Inverse of `to_json`. Raises ArgumentError where a field is missing, unknown, of a wrong type or range."""
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise ArgumentError(f"network configuration is not readable: {error}") from error
        if not isinstance(fields, dict):
            raise ArgumentError("network configuration must be a JSON object")
        if unknown := fields.keys() & FILE_KEYS:
            raise ArgumentError(f"network configuration has unknown fields: {', '.join(sorted(unknown))}")
        fields = {FIELD_NAMES.get(key, key): value for key, value in fields.items()}
        fields["stages"] = tuple(_stage_from_json(stage) for stage in _list(fields.get("stages"), "stages"))
        return _build(NetworkConfig, fields)


Config = TypeVar("Config", LevelConfig, StageConfig, NetworkConfig)
JSON_TYPES: dict[Any, tuple[type, ...]] = {
    int: (int,),
    float: (int, float),
    bool: (bool,),
    int | None: (int, type(None)),
    CodebookKind: (str,),
    ConditionKind: (str,),
}
"""Types of JSON values by the type of the field; other fields are built here."""


def _stage_from_json(fields: Any) -> StageConfig:
    if not isinstance(fields, dict):
        raise ArgumentError("`stages` must hold JSON objects")
    levels = tuple(_build(LevelConfig, level) for level in _list(fields.get("levels"), "levels"))
    return _build(StageConfig, {**fields, "levels": levels})


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ArgumentError(f"`{name}` must be a list")
    return value


def _build(kind: type[Config], fields: Any) -> Config:
    """A configuration from the fields of a JSON object, whose names and types are checked."""
    if not isinstance(fields, dict):
        raise ArgumentError(f"{kind.__name__} must be a JSON object")
    types = typing.get_type_hints(kind)
    if unknown := fields.keys() - types.keys():
        raise ArgumentError(f"network configuration has unknown fields: {', '.join(sorted(unknown))}")
    for name, value in fields.items():
        allowed = JSON_TYPES.get(types[name])
        if allowed and (not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)):
            names = " or ".join(each.__name__ for each in allowed)
            raise ArgumentError(f"`{name}` (={value!r}) must be {names}")
    try:
        return kind(**fields)
    except TypeError as error:
        raise ArgumentError(f"network configuration is not complete: {error}") from error


def _check_choice(name: str, value: str, kind: Any) -> None:
    choices = typing.get_args(kind)
    if value not in choices:
        raise ArgumentError(f"`{name}` (={value!r}) must be one of {', '.join(choices)}")
