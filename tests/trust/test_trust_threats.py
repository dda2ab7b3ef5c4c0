"""Each threat of the list has its test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import bitstream

TESTS = Path(__file__).parents[1]


def test_every_test_named_in_the_list_exists() -> None:
    text = (Path(bitstream.__file__).parent / "THREATS.md").read_text(encoding="utf-8")
    named = re.findall(r"\| (\S+\.py)::(\w+) \|", text)
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| threat")]
    assert len(named) == len(rows) > 15
    for file, function in named:
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{function}"
