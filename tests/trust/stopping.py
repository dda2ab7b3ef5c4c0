"""Runs `ddnc` up to a moment of writing a file, says "here", and waits to be killed.

    python stopping.py MOMENT NUMBER NAME WORDS...

The moment is when a file called NAME (* is any) is moved to its place for the NUMBERth time: "half", the temporary file
holding half of its bytes; "whole", holding all; "moved", right after.
"""

from __future__ import annotations

import os
import signal
import sys
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import NoReturn


def main(moment: str, number: str, name: str, *words: str) -> None:
    from ddncodec.cli.main import main as ddnc
    from ddncodec.cli.training import session
    from ddncodec.training import trainer

    session.release = partial(session.release, images=4)  # type: ignore[attr-defined]
    trainer.CHECKPOINT_SECONDS = -1.0  # one before every step
    replace, calls = Path.replace, []

    def replace_and_stop(path: Path, target: Path) -> Path:
        calls.append(fnmatch(target.name, name))
        if calls[-1] and calls.count(True) == int(number):
            if moment == "half":
                os.truncate(path, path.stat().st_size // 2)
            if moment == "moved":
                replace(path, target)
            _wait()
        return replace(path, target)

    Path.replace = replace_and_stop  # type: ignore[method-assign]
    ddnc(words)


def _wait() -> NoReturn:
    print("here", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
