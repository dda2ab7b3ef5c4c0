"""`bitstream` imports the standard library, numpy and constriction; and its modules downwards."""

import ast
import subprocess
import sys
from pathlib import Path

import bitstream

PACKAGE = Path(bitstream.__file__).parent
ALLOWED = {"numpy", "constriction"}
ORDER = (
    ("errors",),
    ("limits", "layout", "reader"),
    ("header",),
    ("stream",),
    ("context", "plain", "rangecoder", "post_filter"),
    ("tables", "prior"),
    ("frequencies",),
    ("walks",),
    ("coded",),
    ("planes",),
    ("tools",),
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


def test_everything_public_is_exported_and_documented() -> None:
    for name in bitstream.__all__:
        member = getattr(bitstream, name)
        if callable(member):
            assert member.__doc__, name
