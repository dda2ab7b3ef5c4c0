"""Files appear whole or not at all, with the permissions of any new file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ddncodec.files import replacing, write_atomically


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.ddn"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), replacing(target) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a.ddn"]
    assert target.read_bytes() == b"old"


@pytest.mark.skipif(os.name == "nt", reason="no permission bits")
def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "one", b"data")
    (tmp_path / "other").write_bytes(b"data")
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "other").stat().st_mode
