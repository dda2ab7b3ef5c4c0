"""What is installed for shells and desktops is what this version of the command line needs."""

from __future__ import annotations

import configparser
import os
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli_cases import TINY, Ddnc
from PIL import Image

import bitstream
from ddncodec.pillow_plugin import EXTENSION, MIME

ROOT = Path(__file__).parents[2]
SHARE = ROOT / "share"


def test_the_man_page_and_completions_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import build_share

    for path, content in build_share.files().items():
        assert (SHARE / path).read_text(encoding="utf-8") == content, f"{path}: run `make share`"


def test_all_of_it_is_installed() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = {word for value in setup["options.data_files"].values() for word in value.split()}
    assert listed == {str(path.relative_to(ROOT)) for path in SHARE.rglob("*") if path.is_file()}


def test_the_mime_type_is_that_of_streams() -> None:
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    (kind,) = ElementTree.parse(SHARE / "mime/packages/ddn.xml").getroot()
    match, glob = kind.find(f"{space}magic/{space}match"), kind.find(f"{space}glob")
    assert match is not None and glob is not None
    magic = match.attrib["value"].encode().decode("unicode_escape").encode("latin-1")
    assert (kind.attrib["type"], magic, glob.attrib["pattern"]) == (MIME, bitstream.SIGNATURE, f"*{EXTENSION}")
    for path in ("applications/ddnc.desktop", "thumbnailers/ddnc.thumbnailer"):
        assert _entry(path)["MimeType"].rstrip(";") == MIME


def test_thumbnails_are_no_larger_than_asked_for(stream: Path, ddnc: Ddnc) -> None:
    words = shlex.split(_entry("thumbnailers/ddnc.thumbnailer")["Exec"])
    places = {"%s": "64", "%i": str(stream), "%o": "thumbnail"}
    assert words[0] == "ddnc"
    assert ddnc(*(places.get(word, word) for word in words[1:])).output == ""
    with Image.open("thumbnail") as picture:
        assert (picture.format, picture.size) == ("PNG", (64, 48))


def test_opening_shows_the_decoded_picture(stream: Path) -> None:
    Path("bin").mkdir()
    Path("bin/ddnc").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m ddncodec "$@"\n')
    Path("bin/xdg-open").write_text('#!/bin/sh\ncp "$1" opened.png\nrm "$1"\n')
    for name in ("ddnc", "xdg-open"):
        Path("bin", name).chmod(0o755)
    line = _entry("applications/ddnc.desktop")["Exec"].replace("\\\\", "\\")
    words = shlex.split(line.replace("\\$", "$"))  # in quotes, the specification escapes more than a shell does
    renamed = stream.rename("a $(touch injected) b.ddn")
    environment = {**os.environ, "PATH": f"bin:{os.environ['PATH']}", "DDNC_MODEL_PATH": str(TINY.parent)}
    subprocess.run([str(renamed) if word == "%f" else word for word in words], env=environment, check=True, timeout=120)
    with Image.open("opened.png") as picture:
        assert picture.size == (120, 90)
    assert not Path("injected").exists()


def _entry(path: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(SHARE / path)
    (section,) = parser.sections()
    return parser[section]
