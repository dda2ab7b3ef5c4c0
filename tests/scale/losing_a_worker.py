"""Encodes a folder twice on a local Ray cluster of two workers, of which the first to finish a file is killed there.

    python losing_a_worker.py ROOT RECIPE COMMAND MODEL

`encode_files` writes to RECIPE, `ddnc encode --engine ray` to COMMAND. Prints a line of JSON: the rows of the former
and the exit status of the command. The exit status is NOT_STARTED where the machine is too busy for Ray, which gives up
starting after 30 seconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NOT_STARTED = 77


def die_once(folder: Path) -> None:
    """Kill this process, unless another was killed before."""
    try:
        os.close(os.open(folder / "killed", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def main(root: str, recipe: str, command: str, model: str) -> None:
    import ray

    from ddncodec.batch import ray_pool
    from ddncodec.cli.main import main as ddnc
    from ddncodec.ray_data import encode_files

    output = Path(recipe)

    class MortalWorker(ray_pool.Worker):
        """Dies after the first group that was encoded, before anyone knows."""

        def __init__(self, work: Any, options: Any, folder: str) -> None:
            super().__init__(work, options, folder)
            self.output = output

        def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
            done = super().__call__(batch)
            die_once(self.output)
            return done

    try:
        ray.init(num_cpus=3, object_store_memory=100 << 20, include_dashboard=False, log_to_driver=False)
    except Exception as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_STARTED)
    ray_pool.Worker = MortalWorker  # type: ignore[misc]
    output.mkdir()
    rows = encode_files(root, recipe, workers=2, model=model)
    output = Path(command)
    output.mkdir()
    status = status_of(ddnc, ["encode", "-r", root, "-o", command, "--model", model, "--engine", "ray", "-j", "2"])
    print(json.dumps({"rows": rows, "status": status}))
    ray.shutdown()


def status_of(ddnc: Any, words: Sequence[str]) -> object:
    """The exit status of a command."""
    try:
        ddnc(words)
    except SystemExit as end:
        return end.code
    raise AssertionError("commands end by SystemExit")


if __name__ == "__main__":
    main(*sys.argv[1:])
