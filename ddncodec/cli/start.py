"""The start of `ddnc`, before anything slow is imported: Ctrl-C ends it without a traceback from then on."""

from __future__ import annotations

import os
import signal
from types import FrameType


def start() -> None:
    """Run the command line of `sys.argv`."""
    occupy_standard_streams()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    from ddncodec.cli.main import main

    main(prog_name="ddnc")


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, which removes temporary files; while a module is imported, end at once.

    An import that is broken off raises errors of other types, or leaves half a module.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        frame = frame.f_back
    raise KeyboardInterrupt


def occupy_standard_streams() -> None:
    """Open the null device in place of closed standard streams, lest a file gets their number and what is printed."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
