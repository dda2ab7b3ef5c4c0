"""Two processes train as one: equal weights in both, and moving sums that saw the pictures of both."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ddncodec.training import trainer
from ddncodec.training.config import CodebookConfig, Phase
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.processes import process_group, rank, world
from ddncodec.training.recipes import TINY
from ddncodec.training.state import TrainState

CPU = torch.device("cpu")
STEPS, WORLD = 6, 2
RECIPE = dataclasses.replace(
    TINY,
    phases=(Phase(until=2, stages=1, batch=2, crop=32), Phase(until=STEPS, stages=2, batch=2, crop=32)),
    codebook=CodebookConfig(solve_every=2, split_every=3),
)


def work(data: Path, out: Path) -> None:
    """What each process of the group runs, through `__main__` of this file."""
    torch.set_num_threads(1)
    with process_group(CPU):
        assert world() == WORLD
        folder = out / f"rank{rank()}"
        folder.mkdir()
        state = TrainState(RECIPE, CPU)
        assert trainer.train(state, Pictures(data), folder, CPU, autocast=False)
        state.save(out / f"rank{rank()}.pt")


@pytest.fixture(scope="module")
def checkpoints(drawn_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What two processes over gloo end with, and whether each wrote checkpoints on its way."""
    out = tmp_path_factory.mktemp("group")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    root = Path(__file__).parents[2]
    children = []
    for process in range(WORLD):
        group = {"RANK": str(process), "WORLD_SIZE": str(WORLD), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        environment = {**os.environ, **group, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, str(drawn_folder), str(out)]
        children.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    errors = [child.communicate(timeout=240)[1] for child in children]
    assert [child.returncode for child in children] == [0] * WORLD, "\n".join(errors)
    return [
        {**torch.load(out / f"rank{i}.pt", weights_only=True), "wrote": (out / f"rank{i}/checkpoint.pt").exists()}
        for i in range(WORLD)
    ]


def test_both_processes_end_with_the_same_state(checkpoints: list[dict]) -> None:
    for part in ("network", "average", "codebooks"):
        one, other = (checkpoint[part] for checkpoint in checkpoints)
        assert [name for name in one if not torch.equal(one[name], other[name])] == [], part
    assert checkpoints[0]["step"] == checkpoints[1]["step"] == STEPS


def test_only_the_first_process_writes_checkpoints(checkpoints: list[dict]) -> None:
    assert [checkpoint["wrote"] for checkpoint in checkpoints] == [True, False]


def test_the_group_equals_one_process_that_sees_both_halves(checkpoints: list[dict], drawn_folder: Path) -> None:
    """Replays the run in this process: each step adds observations and averages gradients over both ranks' seeds."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    state, pictures = TrainState(RECIPE, CPU), Pictures(drawn_folder)
    while state.step < STEPS:
        lr_factor, batches = RECIPE.lr_factor(state.step), []
        for process in range(WORLD):
            batches.append(trainer.run_batch(state, pictures, CPU, process=process, autocast=False)[0])
        state.learner.descend(sum(batch.loss for batch in batches) / WORLD, lr_factor)
        observations = [sum(each) for each in zip(*(batch.observations for batch in batches))]
        trainer.update_codebooks(state, observations, lr_factor)
        state.learner.update_average(state.step)
        state.step += 1
    torch.set_num_threads(threads)
    for part, module in (
        ("codebooks", torch.nn.ModuleList(state.codebooks)),
        ("network", state.network),
        ("average", state.average),
    ):
        for name, value in module.state_dict().items():
            torch.testing.assert_close(
                checkpoints[0][part][name], value, rtol=1e-5, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
            )


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]))
