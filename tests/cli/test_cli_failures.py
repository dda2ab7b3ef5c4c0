"""Whatever is wrong is reported in one line, with a status, and leaves no half of a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_cases import Ddnc, Refused


def test_missing_inputs(refused: Refused) -> None:
    for words in (
        ("encode", "no.png", "out.ddn"),
        ("decode", "no.png", "out.png"),
        ("info", "no.png"),
        ("truncate", "no.png", "out.ddn", "--levels", 1),
    ):
        assert refused(*words) == "no.png: No such file or directory"


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x00\x10JFIF"])
def test_files_that_are_no_pictures(data: bytes, refused: Refused) -> None:
    Path("in.png").write_bytes(data)
    assert refused("encode", "in.png", "out.ddn", "--model", "tiny").startswith("in.png: ")


def test_pictures_cut_short(photo: Path, refused: Refused) -> None:
    Path("cut.png").write_bytes(photo.read_bytes()[:2000])
    assert refused("encode", "cut.png", "out.ddn", "--model", "tiny").startswith("cut.png: picture cannot be decoded")


def test_wrong_options(photo: Path, stream: Path, refused: Refused) -> None:
    for words, complaint in {
        ("encode", photo, "out.ddn", "-q", "101"): "101",
        ("encode", photo, "out.ddn", "-q", "best"): "best",
        ("encode", photo, "out.ddn", "--coding", "zip"): "zip",
        ("encode", "-"): "OUT",
        ("decode", stream, "out.png", "--levels", "0"): "0",
        ("truncate", stream, "out.ddn"): "--max-bytes",
        ("frobnicate",): "frobnicate",
    }.items():
        line = refused(*words, status=2)
        assert complaint in line
        assert "--help" in line


def test_quality_that_is_no_number(photo: Path, refused: Refused) -> None:
    assert "nan" in refused("encode", photo, "out.ddn", "-q", "nan", "--model", "tiny")


def test_unknown_models_and_devices(photo: Path, stream: Path, refused: Refused, ddnc: Ddnc) -> None:
    assert "'nobody'" in refused("encode", photo, "out.ddn", "--model", "nobody")
    assert "no.safetensors" in refused("encode", photo, "out.ddn", "--model", "no.safetensors")
    assert "'quantum'" in refused("encode", photo, "out.ddn", "--model", "tiny", "--device", "quantum")
    data = stream.read_bytes()
    Path("foreign.ddn").write_bytes(data[:4] + bytes(8) + data[12:])
    assert "0000000000000000" in refused("decode", "foreign.ddn", "out.png")


def test_damaged_models(photo: Path, refused: Refused) -> None:
    Path("bad.safetensors").write_bytes(b"no weights")
    assert "bad.safetensors" in refused("encode", photo, "out.ddn", "--model", "bad.safetensors")


def test_damaged_streams(stream: Path, refused: Refused) -> None:
    data = stream.read_bytes()
    for name, bad in {
        "empty": b"",
        "text": b"hello, world",
        "header": data[:9],
        "torn": data[:-1],
        "newline": data.replace(b"\r", b""),
        "flipped": data[:40] + bytes([data[40] ^ 1]) + data[41:],
    }.items():
        Path(name).write_bytes(bad)
        for words in (("decode", name, "out.png"), ("verify", name), ("truncate", name, "out", "--levels", 9)):
            assert refused(*words).startswith(f"{name}: ")


def test_unknown_output_format_is_reported_before_any_work(refused: Refused) -> None:
    for target in ("out", "out.ddn", "out.xyz"):
        assert target in refused("decode", "does-not-even-exist.ddn", target)


def test_unwritable_outputs(photo: Path, stream: Path, refused: Refused) -> None:
    for name in ("photo.ddn", "photo.png"):
        Path("place", name).mkdir(parents=True)
    for command, source in (("encode", photo), ("decode", stream)):
        assert "does not exist" in refused(command, source, "missing/out.png")
        assert "is a folder" in refused(command, source, "place")
    assert "is a folder" in refused("truncate", stream, "place", "--levels", 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_protected_folders(photo: Path, refused: Refused) -> None:
    Path("locked").mkdir(mode=0o500)
    assert "not writable" in refused("encode", photo, "locked/out.ddn")


def test_a_failure_while_writing_keeps_the_old_file(
    stream: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, data: bytes) -> None:
        with open(path, "wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    Path("out.png").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fail)
        assert refused("decode", stream, "out.png") == "out.png: No space left on device"
    assert Path("out.png").read_text() == "old"


def test_an_interrupt_is_no_traceback(photo: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    import ddncodec.codec

    def interrupt(*words: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ddncodec.codec.Codec, "encode_batch", interrupt)
    assert refused("encode", photo, "out.ddn", "--model", "tiny", status=130) == "interrupted"
