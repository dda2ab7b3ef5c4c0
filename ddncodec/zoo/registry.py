"""Where models are found: in the package, in the folders of DDNC_MODEL_PATH, or at a path given by the user.

A folder may list the hashes of its files in SHA256SUMS. A model's id is taken from there, and `check` compares it with
the file before the model is used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from bitstream import MODEL_ID_BYTES
from ddncodec.errors import ModelError
from ddncodec.zoo.weights_file import ModelInfo, identify, read_info

SHIPPED = Path(__file__).parents[1] / "weights"
"""The folder of the models that come with the package."""
SEARCH_VARIABLE = "DDNC_MODEL_PATH"
"""Environment variable with further folders, separated as in PATH."""
SUFFIX = ".safetensors"
"""Suffix of weights files."""
SUMS = "SHA256SUMS"
"""Name of the list of hashes in a folder, in the format of `sha256sum`."""


def installed() -> list[ModelInfo]:
    """All models that can be found by name, shipped ones first; files that are none are left out."""
    return [found for _, found in _candidates() if isinstance(found, ModelInfo)]


def unreadable() -> list[tuple[Path, str]]:
    """The files in the folders of models that `installed` leaves out, each with the reason in one line."""
    return [(path, str(found)) for path, found in _candidates() if isinstance(found, ModelError)]


def _candidates() -> Iterator[tuple[Path, ModelInfo | ModelError]]:
    """What each file that may be a model says of itself, or why it is none."""
    for path in _weights_files():
        try:
            if path.is_file():  # reading anything else might never end
                yield path, _cached_info(path, path.stat().st_mtime_ns)
            else:
                yield path, ModelError(f"{path}: no file")
        except ModelError as error:
            yield path, error
        except OSError as error:
            yield path, ModelError(f"{path}: {error.strerror or error}")


def find(model: str | os.PathLike[str]) -> ModelInfo:
    """A model by name or by the path of its weights file.

    Raises:
        ModelError: there is none; the error names what is installed.
    """
    if not isinstance(model, (str, os.PathLike)):
        raise ModelError(f"`model` (={model!r}) must be a name or a path")
    path = Path(model)
    if path.suffix == SUFFIX:
        if not path.is_file():
            raise ModelError(f"`model` (={path}) does not exist")
        path = path.absolute()  # the file of now, wherever the program goes before it is loaded again
        return _cached_info(path, path.stat().st_mtime_ns)
    known = installed()
    for info in known:
        if info.name == str(model):
            return info
    names = ", ".join(info.name for info in known) or "none"
    raise ModelError(
        f"`model` (={str(model)!r}) is no {SUFFIX} file and no installed model (installed: {names}{_left_out()})"
    )


def find_identity(identity: bytes) -> ModelInfo:
    """The installed model with this 8-byte id.

    Raises:
        ModelError: there is none; the error names the id and what is installed.
    """
    known = installed()
    for info in known:
        if info.identity == identity:
            return info
    names = ", ".join(f"{info.name} {info.identity.hex()}" for info in known) or "none"
    raise ModelError(
        f"the stream was written with model {identity.hex()}, which is not installed "
        f"(installed: {names}{_left_out()}); give its weights file, or its folder in {SEARCH_VARIABLE}"
    )


def _left_out() -> str:
    """What errors say of files that are no models."""
    reasons = [reason for _, reason in unreadable()]
    return f"; not readable: {'; '.join(reasons)}" if reasons else ""


def _weights_files() -> Iterator[Path]:
    folders = [SHIPPED, *(Path(folder) for folder in os.environ.get(SEARCH_VARIABLE, "").split(os.pathsep) if folder)]
    for folder in folders:
        with suppress(OSError):  # of a folder that may not be read
            yield from sorted(folder.glob(f"*{SUFFIX}"))


def check(info: ModelInfo) -> None:
    """Compare the weights file with its id, which may come from SHA256SUMS.

    Raises:
        ModelError: the file has another id, so it is damaged.
    """
    found = identify(info.path)
    if found != info.identity:
        raise ModelError(f"{info.path}: SHA-256 begins {found.hex()}, must begin {info.identity.hex()}")


@lru_cache(maxsize=64)
def _cached_info(path: Path, modified: int) -> ModelInfo:
    return read_info(path, _listed_identity(path))


def _listed_identity(path: Path) -> bytes | None:
    """The id that the folder's SHA256SUMS lists for the file, if it does; reading it is faster than hashing."""
    sums = path.parent / SUMS
    if not sums.is_file():
        return None
    for line in sums.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        if name == path.name:
            if not re.fullmatch("[0-9a-f]{64}", digest):
                raise ModelError(f"{sums}: the entry of {name} is no SHA-256")
            return bytes.fromhex(digest)[:MODEL_ID_BYTES]
    return None
