"""What a program has set for torch as a whole, kept from what a codec computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from typing import Any, Protocol, TypeVar

import torch

Method = TypeVar("Method", bound=Callable[..., Any])


class Computer(Protocol):
    """What computes in surroundings of its own."""

    def computing(self) -> AbstractContextManager[None]:
        """Where threads and torch are set as they should be."""


def within_computing(method: Method) -> Method:
    """A method of a `Computer`, called within its `computing`."""

    @wraps(method)
    def computed(computer: Computer, *arguments: Any, **options: Any) -> Any:
        with computer.computing():
            return method(computer, *arguments, **options)

    return computed  # type: ignore[return-value]


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
