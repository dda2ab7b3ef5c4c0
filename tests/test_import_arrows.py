"""Imports point one way: each layer knows only those before it, and nobody knows the command line or benchmarks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = (
    {"bitstream"},
    {"ddncodec.errors", "ddncodec.files", "ddncodec.metrics", "ddncodec.samples"},
    {"ddncodec.images", "ddncodec.model"},
    {"ddncodec.zoo"},
    {"ddncodec.coding"},
    {"ddncodec.codec"},
    {"ddncodec", "ddncodec.generation", "ddncodec.selftest", "ddncodec.targets"},
    {"ddncodec.pillow_plugin", "ddncodec.placeholder"},
    {"ddncodec.batch", "ddncodec.training"},
    {"ddncodec.cli", "ddncodec.ray_data"},
    {"ddncodec.__main__"},
    {"benchmarks"},
)
"""Names of modules and packages, each allowed to import those in earlier sets and modules of its own package."""
WITHOUT_TORCH = {
    "bitstream",
    "ddncodec",
    "ddncodec.batch.existing",
    "ddncodec.batch.run",
    "ddncodec.coding.chunks",
    "ddncodec.errors",
    "ddncodec.files",
    "ddncodec.metrics",
    "ddncodec.images.pixels",
    "ddncodec.pillow_plugin",
    "ddncodec.coding.threads",
    "ddncodec.zoo.registry",
    "ddncodec.zoo.weights_file",
}
SOURCES = sorted(
    path
    for package in ("bitstream", "ddncodec", "benchmarks")
    for path in (ROOT / package).rglob("*.py")
    if path.parent.name != "docs"
)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def member(module: str) -> str | None:
    """The entry of LAYERS that a module belongs to: the longest that is a prefix of it."""
    names = [name for layer in LAYERS for name in layer if module == name or module.startswith(f"{name}.")]
    return max(names, key=len, default=None)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def imports(path: Path, *, lazy: bool = True) -> Iterator[str]:
    """Modules that a file imports, without those for type checking; `lazy` includes imports inside functions."""
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    for node in _executed(ast.parse(path.read_text(encoding="utf-8")), lazy):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if is_module(inner) else source


def _executed(node: ast.AST, lazy: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if not lazy and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        yield child
        yield from _executed(child, lazy)


def rank(name: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if name in layer)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_point_to_earlier_layers(path: Path) -> None:
    module = module_name(path)
    own = member(module)
    assert own is not None, f"{module} has no layer"
    if own == "ddncodec" and module != "ddncodec":
        pytest.fail(f"{module} has no layer of its own")
    lazily = module == "ddncodec"  # its functions reach the codec on first use
    for target in imports(path, lazy=not lazily):
        other = member(target)
        if other is None or other == own:
            continue
        assert rank(other) < rank(own), f"{module} imports {target}"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_nobody_imports_the_command_line_or_benchmarks(path: Path) -> None:
    module = module_name(path)
    for target in imports(path):
        for top in ("ddncodec.cli", "benchmarks"):
            assert module.startswith((top, "ddncodec.__main__")) or not target.startswith(top), (
                f"{module} imports {target}"
            )


def test_modules_of_coding_import_downwards_in_the_listed_order() -> None:
    package = ROOT / "ddncodec" / "coding"
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    order = [name for line in text.splitlines() if line[:4] == "    " for name in line[4:].split("  ")[0].split(", ")]
    assert sorted(order) == sorted({path.stem for path in package.glob("*.py")} - {"__init__"})
    for path in package.glob("*.py"):
        for target in imports(path):
            top, _, name = target.rpartition(".")
            if top == "ddncodec.coding":
                assert order.index(name) < order.index(path.stem), f"{path.stem} imports {name}"


def test_bitstream_knows_nothing_of_the_project_or_of_pictures() -> None:
    for path in (ROOT / "bitstream").rglob("*.py"):
        tops = {name.partition(".")[0] for name in imports(path)}
        assert tops <= {"bitstream", "numpy", "bitarray", "constriction"} | sys.stdlib_module_names, path.name


def test_the_network_knows_only_errors_and_torch() -> None:
    for path in (ROOT / "ddncodec" / "model").rglob("*.py"):
        for name in imports(path):
            assert name.startswith(("ddncodec.model", "ddncodec.errors", "torch")) or (
                name.partition(".")[0] in sys.stdlib_module_names
            ), f"{path.name} imports {name}"


def test_what_info_needs_loads_no_torch() -> None:
    code = f"import sys, {', '.join(sorted(WITHOUT_TORCH))}; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "False"


def test_the_tiers_of_the_architecture_page_are_these() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    tiers = [re.findall(r"`([\w.]+)`", modules) for modules in re.findall(r"^\| \d+ \| (.*?) \|", text, re.MULTILINE)]
    assert tuple({f"ddncodec{name}" if name[0] == "." else name for name in tier} for tier in tiers) == LAYERS
