"""`ddnc doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import tempfile
from collections.abc import Callable, Iterator

import click

from ddncodec import __version__
from ddncodec.cli.failures import FAILED
from ddncodec.cli.options import examples
from ddncodec.errors import DdncError

LIBRARIES = ("torch", "numpy", "pillow", "click", "safetensors", "bitarray", "constriction")
FORMATS = ("jpg", "webp", "avif", "libtiff", "littlecms2")
"""As Pillow calls what it may have been built without."""


class CheckFailed(Exception):
    """Something here does not work; the text says what."""


@click.command(epilog=examples("ddnc doctor"))
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Examine this installation.

    Prints versions, picture formats, models and whether their files are undamaged, devices, and whether temporary files
    can be written. The exit status is 1 if anything is wrong.
    """
    status = 0
    for name, examine in EXAMINATIONS.items():
        try:
            for line in examine():
                click.echo(f"{name:10} {line}")
        except (DdncError, CheckFailed, OSError, ImportError) as error:
            click.echo(f"{name:10} WRONG: {error}")
            status = FAILED
    ctx.exit(status)


def _versions() -> Iterator[str]:
    yield f"ddncodec {__version__}, Python {platform.python_version()}, {platform.platform()}"
    missing = []
    for library in LIBRARIES:
        try:
            yield f"{library} {importlib.metadata.version(library)}"
        except importlib.metadata.PackageNotFoundError:
            missing.append(library)
    if missing:
        raise CheckFailed(f"not installed: {', '.join(missing)}")


def _formats() -> Iterator[str]:
    from PIL import features

    missing = [name for name in FORMATS if not features.check(name)]
    yield f"Pillow has {', '.join(name for name in FORMATS if name not in missing)}"
    if missing:
        yield f"Pillow lacks {', '.join(missing)}: such pictures cannot be read or written"


def _models() -> Iterator[str]:
    from ddncodec.zoo import registry

    models = registry.installed()
    for model in models:
        registry.check(model)
        yield f"{model.name} {model.identity.hex()}, sound, {model.path}"
    for _, reason in registry.unreadable():
        yield f"left out: {reason}"
    if not models:
        raise CheckFailed(f"none in {registry.SHIPPED} or the folders of {registry.SEARCH_VARIABLE}")


def _devices() -> Iterator[str]:
    import torch

    from ddncodec.coding.precision import precision_of
    from ddncodec.coding.threads import free_cores, usable_cores
    from ddncodec.model import kernels

    cpu = torch.device("cpu")
    precision = str(precision_of("auto", cpu)).removeprefix("torch.")
    kernel = "oneDNN" if kernels.usable() else "torch alone"
    yield f"cpu, {usable_cores()} of {os.cpu_count()} processors usable, {free_cores()} free now"
    yield f"cpu computes in {precision} (--precision auto), with kernels of {kernel}"
    for number in range(torch.cuda.device_count()):
        torch.zeros(1, device=f"cuda:{number}")
        yield f"cuda:{number}, {torch.cuda.get_device_name(number)}"


def _temporary() -> Iterator[str]:
    with tempfile.TemporaryFile() as file:
        file.write(b"\0")
    yield f"files can be written in {tempfile.gettempdir()}"


EXAMINATIONS: dict[str, Callable[[], Iterator[str]]] = {
    "version": _versions, "pictures": _formats, "model": _models, "device": _devices, "temporary": _temporary,
}  # fmt: skip
