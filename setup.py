"""The long description for package indexes; everything else is in setup.cfg.

A package index shows README.md away from its tree, so its relative addresses are made absolute here.
"""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent


def absolute(readme: str, source: str) -> str:
    """`readme` with addresses of files in the tree as addresses in the repository at `source`."""
    address = re.compile(r"(!?)(\[[^]]*\])\((?!https://|#)([^)]+)\)")
    return address.sub(lambda m: f"{m[1]}{m[2]}({source}/{'raw' if m[1] else 'blob'}/main/{m[3]})", readme)


if __name__ == "__main__":
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    urls = dict(line.split(" = ") for line in config["metadata"]["project_urls"].strip().splitlines())
    setup(
        long_description=absolute((ROOT / "README.md").read_text(encoding="utf-8"), urls["Source"]),
        long_description_content_type="text/markdown",
    )
