"""`bitstream` imports the standard library, numpy, bitarray and constriction; and its modules downwards."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bitstream

PACKAGE = Path(bitstream.__file__).parent
ALLOWED = {"numpy", "bitarray", "constriction"}
ORDER = (
    ("errors",),
    ("limits", "layout", "reader"),
    ("header", "elements"),
    ("stream",),
    ("context", "plain", "rangecoder", "post_filter"),
    ("tables", "prior"),
    ("frequencies",),
    ("walks",),
    ("coded",),
    ("planes",),
    ("recoding", "tools"),
    ("__init__",),
)


def imports(path: Path) -> tuple[set[str], set[str]]:
    """Return (foreign top-level packages, modules of this package) that a file imports."""
    foreign: set[str] = set()
    own: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            foreign |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            (own if node.level else foreign).add((node.module or "").partition(".")[0])
    return foreign, own


def test_importing_loads_no_network_and_no_imaging_library() -> None:
    code = "import sys, bitstream; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not {"torch", "PIL", "ddncodec"} & set(ast.literal_eval(run.stdout))


def test_sources_import_only_what_they_may() -> None:
    for path in PACKAGE.glob("*.py"):
        foreign, _ = imports(path)
        assert foreign <= ALLOWED | sys.stdlib_module_names, path.name


def test_modules_import_downwards_only() -> None:
    rank = {name: number for number, names in enumerate(ORDER) for name in names}
    assert {path.stem for path in PACKAGE.glob("*.py")} == set(rank)
    for path in PACKAGE.glob("*.py"):
        for module in imports(path)[1]:
            assert rank[module] < rank[path.stem], f"{path.stem} imports {module}"


def public(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions, classes and methods without a leading underscore."""
    for child in node.body:
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public(child)


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_everything_public_has_a_docstring_of_its_own(path: Path) -> None:
    """In the source: of a dataclass without docstring, Python makes one up."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert [node.name for node in public(tree) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_every_public_constant_is_followed_by_its_description(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node, following in zip(body, [*body[1:], None]):
        if not isinstance(node, (ast.Assign, ast.AnnAssign)):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if re.match("[A-Z]", ast.unparse(target).strip("(")):
            described = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            assert described, f"{path.name}:{node.lineno}"


def test_what_is_exported_is_what_the_package_imports_and_no_more() -> None:
    imported = [
        alias.name
        for node in ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    ]
    assert sorted(bitstream.__all__) == sorted(imported)
    assert len(set(imported)) == len(imported)


def test_another_package_of_the_same_name_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "bitstream.py").write_text("class BitStream: ...", encoding="utf-8")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(PACKAGE.parent)!r}]; import ddncodec"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    *_, last = run.stderr.splitlines()
    assert run.returncode == 1
    assert last.startswith(f"ImportError: `bitstream` is {tmp_path / 'bitstream.py'}, must be")
    assert "uninstall the PyPI package `bitstream`" in last
