"""What is said of the project in several places is the same in all of them."""

from __future__ import annotations

import importlib.util
import re
from configparser import ConfigParser
from pathlib import Path
from types import ModuleType

import pytest

import ddncodec

ROOT = Path(__file__).parents[1]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def metadata() -> ConfigParser:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


@pytest.fixture(scope="module")
def setup_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "setup.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_address_of_the_long_description_is_absolute_and_leads_to_a_file(setup_script: ModuleType) -> None:
    text = setup_script.absolute(read("README.md"), "https://source.example")
    addresses = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(addresses) > 5
    for address in addresses:
        assert address.startswith("https://"), address
        if inside := re.match(r"https://source\.example/(?:raw|blob)/main/(.+)", address):
            assert (ROOT / inside[1]).exists(), address


def test_python_versions_are_those_that_are_tested(metadata: ConfigParser) -> None:
    classified = re.findall(r":: (3\.\d+)$", metadata["metadata"]["classifiers"], re.MULTILINE)
    tested = re.search(r"python-version: \[(.*)\]", read(".github/workflows/ci.yml"))
    assert tested and re.findall(r"3\.\d+", tested[1]) == classified
    assert metadata["options"]["python_requires"] == f">={classified[0]}"


def test_the_citation_names_this_version(metadata: ConfigParser) -> None:
    assert f"\nversion: {ddncodec.__version__}\n" in read("CITATION.cff")
    assert f"\nrepository-code: {metadata['metadata']['url']}\n" in read("CITATION.cff")


def test_every_requirement_is_pinned_in_the_constraints(metadata: ConfigParser) -> None:
    pinned = set(re.findall(r"^([\w-]+)==", read("constraints.txt"), re.MULTILINE))
    wanted = [metadata["options"]["install_requires"], *metadata["options.extras_require"].values()]
    names = {re.match(r"[\w-]+", line)[0] for lines in wanted for line in lines.split("\n") if line}  # type: ignore[index]
    assert names - {"ddncodec"} == pinned


def test_continuous_integration_lints_documents_and_tests() -> None:
    for name in (".ci/run", ".github/workflows/ci.yml"):
        commands = re.findall(r"make (\w+)", read(name))
        assert set(commands) == {"lint", "docs", "test"}, name
