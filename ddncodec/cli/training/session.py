"""The body of `ddnc train`: a run folder, the training loop, and the weights at its end."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from types import FrameType

import click
import torch

from ddncodec.cli.failures import INTERRUPTED, TERMINATED, Failure
from ddncodec.cli.training.training_log import TrainingLog
from ddncodec.coding.arguments import to_device
from ddncodec.errors import ArgumentError
from ddncodec.files import replacing, write_atomically
from ddncodec.training.config import Recipe
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.precision import fast_precision
from ddncodec.training.principal import start_from_components
from ddncodec.training.processes import process_group, rank
from ddncodec.training.recipes import RECIPES
from ddncodec.training.release import release
from ddncodec.training.state import TrainState
from ddncodec.training.trainer import Report, train
from ddncodec.training.validate import validate
from ddncodec.zoo import registry
from ddncodec.zoo.loading import load_model

NAME = re.compile(r"\w[\w.-]*")
CHECKPOINT, PLAN, LOG = "checkpoint.pt", "run.json", "log.csv"
STATUS = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run was begun with and must be resumed with; kept in its folder.

    `steps` None: the recipe's own. `init`: the model, by name or path, whose weights it began with. `precision` of
    the convolutions, "float32" or "bfloat16"; None until the device is known. `accumulate`: batches that a step adds up
    in each process, None for the recipe's own.
    """

    config: str
    steps: int | None
    name: str
    init: str | None = None
    precision: str | None = None
    accumulate: int | None = None

    def recipe(self) -> Recipe:
        """Raises ArgumentError for an unknown recipe or too few steps, or a name that no file can have."""
        if not NAME.fullmatch(self.name):
            raise ArgumentError(f"`name` (={self.name!r}) must be letters, digits, '.', '_' and '-'")
        if self.config not in RECIPES:
            raise ArgumentError(f"`config` (={self.config!r}) must be one of {', '.join(RECIPES)}")
        recipe = RECIPES[self.config]
        recipe = dataclasses.replace(recipe, accumulate=self.accumulate or recipe.accumulate)
        if self.init is not None:
            return recipe.tuning(self.steps or recipe.steps)
        return recipe if self.steps is None else recipe.lengthened(self.steps)

    def on(self, device: torch.device) -> Plan:
        """The plan with the precision in which `device` is faster, unless it names one."""
        return dataclasses.replace(self, precision=self.precision or fast_precision(device))

    @property
    def autocast(self) -> bool:
        return self.precision == "bfloat16"

    def save(self, path: Path) -> None:
        write_atomically(path, (json.dumps(dataclasses.asdict(self), indent=2) + "\n").encode())

    @staticmethod
    def load(path: Path) -> Plan:
        """Raises OSError, ArgumentError."""
        try:
            return Plan(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"{path}: not the description of a run ({error})") from error


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """One call of `ddnc train`; `plan` is None for a run to be resumed."""

    data: Path
    folder: Path
    plan: Plan | None
    max_seconds: float
    release_early: bool
    validate: Path | None
    device: str | None
    threads: int | None
    quiet: bool

    def say(self, message: str) -> None:
        if not self.quiet:
            click.echo(message)

    @property
    def animated(self) -> bool:
        return not self.quiet and sys.stderr is not None and sys.stderr.isatty()


def train_run(run: TrainingRun) -> int:
    """Train, and at the end write and validate the weights; returns the exit status.

    Under `torchrun` only the first process writes and speaks. Raises DdncError, OSError, Failure.
    """
    device = _choose_device(run.device)
    if run.threads:
        torch.set_num_threads(run.threads)
    plan = (run.plan or Plan.load(run.folder / PLAN)).on(device)
    recipe = plan.recipe()
    pictures = Pictures(run.data, recipe.augmentation)
    if run.validate is not None:
        Pictures(run.validate)  # fails now rather than after hours
    with process_group(device):
        first = rank() == 0
        state = TrainState(recipe, device)
        if run.plan is None:
            state.load(run.folder / CHECKPOINT)
        else:
            if run.plan.init is not None:
                init = load_model(registry.find(run.plan.init), device)
                state.adopt(init.network, init.prior)
            elif recipe.network.stages[0].principal:
                start_from_components(state, pictures, lambda message: _show(run, message))
            if first:
                _begin(run.folder, plan)
        received = _train(run, plan, state, pictures, device)
    complete = state.step >= recipe.steps
    if received is None and first and (complete or run.release_early):
        _finish(run, plan, state, pictures)
    elif first:
        run.say(
            f"stopped at step {state.step} of {recipe.steps}; "
            f"to continue: ddnc train --data {run.data} --resume {run.folder}"
        )
    return 0 if received is None else STATUS[received]


def _show(run: TrainingRun, message: str) -> None:
    if run.animated:
        click.echo(message, err=True)


def _begin(folder: Path, plan: Plan) -> None:
    if (folder / CHECKPOINT).exists():
        raise Failure(f"{folder}: holds a run already; give --resume {folder}, or another --run")
    folder.mkdir(parents=True, exist_ok=True)
    plan.save(folder / PLAN)


def _train(
    run: TrainingRun, plan: Plan, state: TrainState, pictures: Pictures, device: torch.device
) -> signal.Signals | None:
    """Run the loop; returns the signal that ended it, if any."""
    levels = len(state.recipe.network.levels)
    log = TrainingLog(run.folder / LOG, levels, state.step) if rank() == 0 else None
    with _signals() as received, _progress(run, state) as show:

        def report(result: Report) -> None:
            if log is not None:
                log.add(result)
            show(result)

        def stop() -> bool:
            return received() is not None

        try:
            train(
                state,
                pictures,
                run.folder,
                device,
                max_seconds=run.max_seconds,
                autocast=plan.autocast,
                stop=stop,
                report=report,
            )
        finally:
            if log is not None:
                log.close()
        return received()


def _finish(run: TrainingRun, plan: Plan, state: TrainState, pictures: Pictures) -> None:
    path = run.folder / f"{plan.name}.safetensors"
    about = f"{plan.config} recipe, {state.step} steps on {len(pictures)} pictures of {pictures.source.name}"
    with replacing(path) as temporary:
        info = release(
            state,
            pictures,
            temporary,
            name=plan.name,
            about=about,
            autocast=plan.autocast,
            progress=lambda message: _show(run, message),
        )
    run.say(f"{path}: model {plan.name}, id {info.identity.hex()}, {path.stat().st_size} bytes")
    if run.validate is not None:
        click.echo("quality     bpp    PSNR")
        for point in validate(path, run.validate, str(state.average.device)):
            click.echo(f"{point.quality:7g}  {point.bpp:6.4f}  {point.psnr:6.2f}")


def device_name(asked: str | None, has_gpu: bool, local_rank: str | None) -> str:
    """The device of this process: as asked for, else a GPU if there is one; under `torchrun` one of its own."""
    name = asked or ("cuda" if has_gpu else "cpu")
    return f"cuda:{local_rank}" if name == "cuda" and local_rank is not None else name


def _choose_device(asked: str | None) -> torch.device:
    device = to_device(device_name(asked, torch.cuda.is_available(), os.environ.get("LOCAL_RANK")))
    if device.index is not None and device.type == "cuda":
        torch.cuda.set_device(device)
    return device


@contextmanager
def _signals() -> Iterator[Callable[[], signal.Signals | None]]:
    """Note SIGINT and SIGTERM instead of dying of them; yields a function that returns the first one. Two kill."""
    received: list[signal.Signals] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(signal.Signals(number))
        for each in STATUS:
            signal.signal(each, signal.SIG_DFL)

    before = {number: signal.signal(number, note) for number in STATUS}
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(run: TrainingRun, state: TrainState) -> Iterator[Callable[[Report], None]]:
    """One bar on a terminal, with remaining time; elsewhere nothing."""

    def describe(result: Report | None) -> str:
        if result is None:
            return ""
        return (
            f"step {result.step}/{state.recipe.steps}  loss {result.loss:.4f}  "
            f"{result.psnr[-1]:.2f} dB  usage {fmean(result.usage):.2f}"
        )

    if rank() != 0 or not run.animated or state.step >= state.recipe.steps:
        yield lambda result: None
        return
    with click.progressbar(
        length=state.recipe.steps - state.step, label="training", width=20, file=sys.stderr, item_show_func=describe
    ) as bar:
        yield lambda result: bar.update(1, result)
