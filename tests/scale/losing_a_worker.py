"""Encodes a folder on a local Ray cluster of two workers, of which the first to finish a file is killed there and then.

    python losing_a_worker.py ROOT OUTPUT MODEL

Prints the rows as JSON. The exit status is NOT_STARTED where the machine is too busy for Ray, which gives up starting
after 30 seconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

NOT_STARTED = 77


def main(root: str, output: str, model: str) -> None:
    import ray

    from ddncodec import ray_data

    class Mortal(ray_data.Encoder):
        """Dies after writing its first file, unless another did."""

        def encode(self, source: Path, data: bytes) -> tuple[str, int, str]:
            row = super().encode(source, data)
            if row[2]:
                return row
            try:
                os.close(os.open(self.task.output / "killed", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return row
            os.kill(os.getpid(), signal.SIGKILL)
            return row

    try:
        ray.init(num_cpus=3, object_store_memory=100 << 20, include_dashboard=False, log_to_driver=False)
    except Exception as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_STARTED)
    ray_data.Encoder = Mortal  # type: ignore[misc]
    ray_data.BATCH_FILES = 2
    print(json.dumps(ray_data.encode_files(root, output, workers=2, model=model)))
    ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
