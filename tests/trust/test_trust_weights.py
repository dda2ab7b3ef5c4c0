"""Weights files are data: nothing in them is executed, and none asks for more memory than its own tensors justify."""

from __future__ import annotations

import ast
import copy
import json
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from trust_cases import GOLDEN, flipped

from ddncodec.errors import ArgumentError, DdncError, ModelError
from ddncodec.training.recipes import TINY
from ddncodec.training.state import TrainState
from ddncodec.zoo import registry
from ddncodec.zoo.loading import load_model
from ddncodec.zoo.weights_file import FORMAT, read_info

ROOT = Path(__file__).parents[2]
TINY_FILE = GOLDEN / "tiny.safetensors"
CPU = torch.device("cpu")
STRANGE = (0, -1, 10**5, 10**9, 10**30, 1.5, float("nan"), "x", None, [], {})
"""Values for fields of a configuration."""


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, evidence: Path) -> None:
        self.evidence = evidence

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.evidence),)


def test_pickles_are_refused_and_not_executed(tmp_path: Path) -> None:
    evidence, path = tmp_path / "executed", tmp_path / "model.safetensors"
    for data in (pickle.dumps(Malicious(evidence)), pickle.dumps(Malicious(evidence), 0)):
        path.write_bytes(data)
        with pytest.raises(ModelError, match="not a readable weights file"):
            registry.find(path)
    checkpoint = tmp_path / "checkpoint.pt"
    torch.save(Malicious(evidence), checkpoint)
    with pytest.raises(ArgumentError, match="not a checkpoint"):
        TrainState(TINY, CPU).load(checkpoint)
    assert not evidence.exists()
    pickle.loads(data)  # the evidence would have been there
    assert evidence.exists()


FOREIGN: dict[str, Callable[[Path], object]] = {
    "torn": lambda path: path.write_bytes(TINY_FILE.read_bytes()[:1000]),
    "empty": lambda path: path.write_bytes(b""),
    "foreign": lambda path: save_file({"w": np.zeros(3, np.float32)}, path),
    "a description of another type": lambda path: save_file({}, path, {FORMAT: "[1]"}),
    "a link to nothing": lambda path: path.symlink_to("gone"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_files_in_folders_of_models_are_left_out_with_a_reason(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands there, models next to it and those of the package are found."""
    FOREIGN[kind](tmp_path / "aaa.safetensors")
    (tmp_path / "tiny.safetensors").write_bytes(TINY_FILE.read_bytes())
    (tmp_path / registry.SUMS).write_bytes(b"\xff\xfe\n")
    monkeypatch.setenv(registry.SEARCH_VARIABLE, os.pathsep.join([str(tmp_path / "aaa.safetensors"), str(tmp_path)]))
    assert [info.name for info in registry.installed()][-1] == registry.find("tiny").name == "tiny"
    assert registry.find("photo").path.parent == registry.SHIPPED
    [(path, reason)] = registry.unreadable()
    assert path == tmp_path / "aaa.safetensors"
    assert str(path) in reason and "\n" not in reason
    with pytest.raises(ModelError, match=r"not readable: .*aaa"):
        registry.find("nobody")


def test_no_module_unpickles_anything_but_tensors() -> None:
    found = []
    for path in (*(ROOT / "bitstream").rglob("*.py"), *(ROOT / "ddncodec").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name, options = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert name not in ("pickle.load", "pickle.loads", "pickle.Unpickler", "eval", "exec"), path
                if name == "torch.load":
                    found.append(path.name)
                    assert options.get("weights_only") == "True", path
    assert found == ["state.py"]


def test_damaged_files_are_model_errors(tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    data, path = TINY_FILE.read_bytes(), tmp_path / "model.safetensors"
    described = 8 + int.from_bytes(data[:8], "little")
    outcomes = set()
    for number in range(200):
        hurt = flipped(data, int(random.integers(8 * described)))
        path.write_bytes(hurt if number % 4 else hurt[: int(random.integers(len(data)))])
        outcomes.add(_attempt(path))
    assert outcomes == {"loaded", "refused"}


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_no_configuration_crashes_or_allocates_what_the_tensors_do_not_need(tmp_path: Path) -> None:
    with safe_open(TINY_FILE, "numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        described = json.loads(file.metadata()[FORMAT])
    path, outcomes = tmp_path / "model.safetensors", set()
    before = _peak()
    for config in _strange(json.loads(described["config"])):
        save_file(tensors, path, {FORMAT: json.dumps({**described, "config": config})})
        outcomes.add(_attempt(path))
    assert outcomes == {"loaded", "refused"}
    assert _peak() - before < 256 << 20


def _attempt(path: Path) -> str:
    try:
        load_model(read_info(path), CPU)
    except DdncError:
        return "refused"
    return "loaded"


def _strange(config: dict[str, Any]) -> Iterator[str]:
    """The configuration with one value after the other replaced by each of STRANGE; and two that nest too deep."""
    for place in _places(config):
        for value in STRANGE:
            changed = copy.deepcopy(config)
            holder: Any = changed
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = value
            yield json.dumps(changed)
    yield "[" * 100_000
    yield '{"stages":' * 50_000


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from _places(each, (*place, key))


def _peak() -> int:
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) << 10
