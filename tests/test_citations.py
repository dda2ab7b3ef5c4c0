"""Documents that code and texts cite are in the tree, and so are the sections and files that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for top in ("bitstream", "ddncodec", "benchmarks", "docs") for path in (ROOT / top).rglob("*.py"))
DOCUMENTS = {path.name: path for top in (".", "bitstream", "benchmarks", "docs") for path in (ROOT / top).glob("*.md")}
TEXTS = [*DOCUMENTS.values(), *(ROOT / "ddncodec" / "weights").glob("*.md")]
MADE_BY_PROGRAMS = {"rd.md", "density.md"}


def titles(document: str) -> set[str]:
    """Titles of the sections of a document, each also by its number."""
    lines = re.findall(r"^#+ (.+)$", DOCUMENTS[document].read_text(encoding="utf-8"), re.MULTILINE)
    numbers = {match[0] for line in lines if (match := re.match(r"[\d.]*\d", line))}
    return {line.lower() for line in lines} | numbers


def cited_sections(text: str) -> Iterator[tuple[str, str]]:
    """(document, section) of citations such as "FORMAT.md, section 6.3" and "ARCHITECTURE.md, Gram-Lloyd"."""
    text = re.sub(r"\s*\n\s*", " ", text)
    for name, sections in re.findall(r"(\w+\.md),? sections? (\d[\d.]*(?:(?:, | and )\d[\d.]*)*)", text):
        yield from ((name, number.rstrip(".")) for number in re.findall(r"\d[\d.]*", sections))
    for name, title in re.findall(r"(\w+\.md), (?:section )?([A-Z][\w-]*(?: [a-z]+)?)", text):
        yield name, title.lower()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_cites_documents_and_sections_that_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(DESIGN|LAYOUT|STYLE)\b(?! *=)", text)
    for name in set(re.findall(r"\b([A-Za-z_]+\.md)\b", text)) - MADE_BY_PROGRAMS:
        assert name in DOCUMENTS, name
    for name, section in cited_sections(text):
        assert section in titles(name), (name, section)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_files_named_in_texts_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert target.startswith("https://") or (path.parent / target).exists(), target
    if path.name in ("CHANGELOG.md", "LOG.md", "THREATS.md"):  # history; and tests, which have a test of their own
        return
    for name in re.findall(r"\b((?:bitstream|ddncodec|benchmarks|tests|docs)/[\w/]+\.(?:py|md|csv|html|png))", text):
        assert (ROOT / name).exists(), name
