"""What the walk through the levels leaves is freed: memory does not grow with the number of levels."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SIDE, CHANNELS, FEATURES = 512, 48, 4
FEW, MANY = 4, 16
STATE = SIDE * SIDE // 16 * (CHANNELS + 48) * 4
"""Bytes of the trunk and picture that a level leaves to the next: what each level would add if states were kept."""

MEASURE = f"""if True:
    import json, sys
    from pathlib import Path
    import numpy as np
    import torch
    from bitstream import Header, Level, LevelTables
    from ddncodec.coding.effort import EFFORTS, Effort
    from ddncodec.coding.encoder import encode
    from ddncodec.coding.engine import Engine
    from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
    from ddncodec.zoo.loading import Model
    from ddncodec.zoo.weights_file import ModelInfo

    def peak():
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) << 10

    def engine(count):
        levels = tuple(LevelConfig(16, 4) for _ in range(count))
        stage = StageConfig(stride=4, channels={CHANNELS}, features={FEATURES}, basis=4, levels=levels)
        network = DiscreteDistributionNetwork(NetworkConfig((stage,)), torch.Generator().manual_seed(0))
        layout = tuple(Level(16, 4) for _ in levels)
        info = ModelInfo("random", Path("none"), bytes(8), network.config.to_json(), layout, "")
        tables = tuple(LevelTables.flat(4) for _ in levels)
        return Engine(Model(info, network.requires_grad_(False), tables), torch.device("cpu"))

    picture = np.random.default_rng(0).integers(0, 256, (1, {SIDE}, {SIDE}, 3), dtype=np.uint8)
    header = Header(bytes(8), {SIDE}, {SIDE}, lambda_step=90)
    plane = np.zeros(({SIDE} // 16, {SIDE} // 16), np.int32)
    ahead = Effort(tries=(1, 1, 2), depth=1, groups=1, beam=1)
    ways = dict(
        decode=lambda one: one.replay([[plane] * len(one.model.info.layout)], [header]),
        greedy=lambda one: encode(one, picture, [header], effort=EFFORTS[0]),
        ahead=lambda one: encode(one, picture, [header], effort=ahead),
    )
    found = {{}}
    few, many = engine({FEW}), engine({MANY})
    for name, way in ways.items():
        way(few)
        before = peak()
        way(many)
        found[name] = peak() - before
    print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def growth() -> dict[str, int]:
    """By how many bytes the peak of a process grows from few levels to many."""
    run = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, timeout=120)
    return json.loads(run.stdout)


@pytest.mark.parametrize("way", ["decode", "greedy", "ahead"])
def test_memory_does_not_grow_with_the_number_of_levels(way: str, growth: dict[str, int]) -> None:
    assert growth[way] < (MANY - FEW) * STATE / 2
