"""What a program has set for torch as a whole, kept from what a codec computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch


@contextmanager
def settings_of_our_own() -> Iterator[None]:
    """No autocast, the processor as default device, no gradients; all as before at the end, and in other threads.

    The default dtype cannot be changed for one thread only: modules here name dtypes wherever it would count.
    """
    with ExitStack() as stack:
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(torch.no_grad())
        yield
