"""Build the API reference of `bitstream` and `ddncodec` from their docstrings: HTML in docs/reference/.

Run by `make docs`. Everything that pdoc warns about is an error, and so is a public name without a docstring. The
command line is left out: `ddnc COMMAND --help` is its reference.
"""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pdoc

import ddncodec

OUT = Path(__file__).parent / "reference"
PACKAGES = ("bitstream", "ddncodec")
LEFT_OUT = ("ddncodec.cli",)
OF_PILLOW = r".*annotation.* for (PIL|ddncodec\.pillow_plugin\.DdnImageFile)\."
"""Warnings about what the plugin inherits from Pillow, whose own annotations pdoc cannot read."""


def modules() -> Iterator[str]:
    """Full names of all public modules of PACKAGES."""
    for package in PACKAGES:
        yield package
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            if not module.name.startswith(LEFT_OUT) and not module.name.rpartition(".")[2].startswith("_"):
                yield module.name


def members(namespace: pdoc.doc.Module | pdoc.doc.Class) -> Iterator[pdoc.doc.Doc[Any]]:
    """Public classes, functions and methods of a module or class."""
    for member in namespace.own_members:
        if member.name.startswith("_") or isinstance(member, (pdoc.doc.Variable, pdoc.doc.Module)):
            continue
        yield member
        if isinstance(member, pdoc.doc.Class):
            yield from members(member)


def undocumented(names: list[str]) -> list[str]:
    """Full names of members without a docstring; methods that a protocol documents need none of their own."""
    found = [member for name in names for member in members(pdoc.doc.Module.from_name(name))]
    classes = [each for each in found if isinstance(each, pdoc.doc.Class)]
    protocols = [each for each in classes if getattr(each.obj, "_is_protocol", False)]
    documented = {method.name for protocol in protocols for method in members(protocol) if method.docstring}
    return sorted({each.fullname for each in found if not each.docstring and each.name not in documented})


def main() -> None:
    """Build with warnings as errors."""
    # pdoc looks into the dictionary of a module, where lazy attributes are not.
    vars(ddncodec).update({name: getattr(ddncodec, name) for name in ddncodec.__all__})
    names = list(modules())
    with warnings.catch_warnings():
        warnings.filterwarnings("error", module="pdoc")
        warnings.filterwarnings("ignore", OF_PILLOW, module="pdoc")
        build(names)
    print(f"{OUT}: {len(names)} modules")


def build(names: list[str]) -> None:
    """Write the pages of these modules; exit with a list of what lacks a docstring."""
    missing = undocumented(names)
    if missing:
        sys.exit("without a docstring:\n" + "\n".join(missing))
    shutil.rmtree(OUT, ignore_errors=True)
    pdoc.render.configure(docformat="google", footer_text=f"ddncodec {ddncodec.__version__}")
    specs = list(PACKAGES)
    for name in names:  # a package that lists its names in __all__ hides its modules from pdoc
        if name not in pdoc.extract.walk_specs(specs):
            specs.append(name)
    pdoc.pdoc(*specs, output_directory=OUT)


if __name__ == "__main__":
    main()
