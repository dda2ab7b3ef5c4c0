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
from ddncodec.training.config import TINY, Phase
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.processes import process_group, rank, world
from ddncodec.training.state import TrainState
from ddncodec.training.step import draw_lambdas, walk

CPU = torch.device("cpu")
STEPS, WORLD = 6, 2
RECIPE = dataclasses.replace(TINY, phases=(Phase(2, 1, 2, 32), Phase(STEPS, 2, 2, 32)), solve_every=2, split_every=3)


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
        halves = [walk_as(process, state, pictures) for process in range(WORLD)]
        used = [p for p in state.trained if any(p in gradients for gradients, _ in halves)]
        means = [(halves[0][0][p] + halves[1][0][p]) / WORLD for p in used]
        linear = torch.stack([(p * mean).sum() for p, mean in zip(used, means)]).sum()
        lr_factor = RECIPE.lr_factor(state.step)
        trainer._descend(state, linear, lr_factor)
        trainer._update_codebooks(state, [a + b for a, b in zip(halves[0][1], halves[1][1])], lr_factor)
        state.update_average()
        state.step += 1
    torch.set_num_threads(threads)
    for part, module in (("codebooks", state.codebooks), ("network", state.network), ("average", state.average)):
        for name, value in module.state_dict().items():
            torch.testing.assert_close(
                checkpoints[0][part][name], value, rtol=1e-5, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
            )


def walk_as(process: int, state: TrainState, pictures: Pictures) -> tuple[dict[torch.Tensor, torch.Tensor], list]:
    """Gradients by parameter, and observations, of the pictures that `process` sees at this step."""
    phase, seed = RECIPE.phase(state.step), (RECIPE.seed, state.step, process)
    lambdas = draw_lambdas(state.network, phase.batch, trainer._generator(seed))
    result = walk(
        state.network, list(state.codebooks), pictures.crops(phase.batch, phase.crop, seed), lambdas,
        rate_warmup=trainer._rate_warmup(state), final_weight=RECIPE.final_weight, autocast=False,
    )  # fmt: skip
    state.optimizer.zero_grad(set_to_none=True)
    result.loss.backward()
    return {p: p.grad.clone() for p in state.trained if p.grad is not None}, result.observations


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]))
