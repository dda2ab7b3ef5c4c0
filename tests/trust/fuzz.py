"""Mutated streams, pictures, metadata and weights files for some minutes: `make fuzz MINUTES=10`.

    python tests/trust/fuzz.py MINUTES [SEED]

Seeds are the golden files, and pictures drawn by code. Anything but a typed error or a result is a finding: its bytes
are written to the working folder as `finding-TARGET-NUMBER`, and the exit status is 1.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

from PIL import Image  # noqa: E402
from test_trust_pictures import FORMATS, described, files  # noqa: E402
from trust_cases import GOLDEN, mutated, read_all, resealed  # noqa: E402

from bitstream import BitstreamError, Limits  # noqa: E402
from ddncodec import pillow_plugin  # noqa: E402
from ddncodec.errors import DdncError  # noqa: E402
from ddncodec.images.exif import ExifError, into_tiff, kept, of_tiff  # noqa: E402
from ddncodec.images.files import Reading, read_picture  # noqa: E402
from ddncodec.zoo.weights_file import read_info, read_tables  # noqa: E402

LIMITS = Limits(max_pixels=1 << 16)
HEAD = 200
"""Half of the mutations are of the first bytes, where formats say the most."""


def plugin(data: bytes) -> None:
    """Open, ask for EXIF, verify; the errors of Pillow are its own."""
    with suppress(OSError, Image.DecompressionBombError), Image.open(io.BytesIO(data), formats=["DDN"]) as image:
        image.getexif()
        image.verify()


def metadata(data: bytes) -> None:
    with suppress(ExifError):
        into_tiff(files_by_suffix["TIFF"], kept(data, 40, 30))
        of_tiff(data)


def weights(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(data)
        file.flush()
        info = read_info(Path(file.name))
        read_tables(info.path, len(info.layout))


files_by_suffix = dict(zip(FORMATS, files(), strict=True))


def main(minutes: float, seed: int) -> int:
    """Run all targets by turns; returns the number of findings."""
    warnings.simplefilter("ignore")
    logging.disable()
    os.environ["DDNC_MODEL_PATH"] = str(GOLDEN)
    pillow_plugin.register()
    info = read_info(GOLDEN / "tiny.safetensors")
    tables = read_tables(info.path, len(info.layout))
    streams = [path.read_bytes() for path in sorted(GOLDEN.glob("*.ddn"))]
    targets: dict[str, tuple[Callable[[bytes], object], list[bytes]]] = {
        "stream": (lambda data: read_all(resealed(data), info.layout, tables), streams),
        "plugin": (plugin, streams),
        "picture": (lambda data: read_picture(data, Reading(LIMITS, first_frame=True)), list(files_by_suffix.values())),
        "metadata": (metadata, [described().removeprefix(b"Exif\0\0"), files_by_suffix["TIFF"]]),
        "weights": (weights, [info.path.read_bytes()]),
    }
    random, counts, findings = np.random.default_rng(seed), dict.fromkeys(targets, 0), 0
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        for name, (target, seeds) in targets.items():
            source = seeds[counts[name] % len(seeds)]
            whole = random.random() < 0.5
            data = mutated(random, source) if whole else mutated(random, source[:HEAD]) + source[HEAD:]
            counts[name] += 1
            try:
                target(data)
            except (BitstreamError, DdncError):
                pass
            except Exception as error:
                findings += 1
                Path(f"finding-{name}-{counts[name]}").write_bytes(data)
                print(f"{name} {counts[name]}: {type(error).__name__}: {error}", flush=True)
    print(
        ", ".join(f"{count} of {name}" for name, count in counts.items()), f"{findings} findings, seed {seed}", sep="; "
    )
    return findings


if __name__ == "__main__":
    sys.exit(bool(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % (1 << 32))))
