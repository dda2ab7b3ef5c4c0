"""Fuzz target for atheris: bytes, with their checksums made right, go through everything that needs no network.

    pip install atheris
    python tests/trust/fuzz_stream.py CORPUS -max_total_time=300

The golden streams are the seeds; what libFuzzer finds worth keeping goes to the folder CORPUS. Anything but a typed
error or sound planes is a finding, and so is a run over 5 seconds or 512 MB.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
LIMITS = ("-timeout=5", "-rss_limit_mb=512", "-max_len=4096")


def main() -> None:
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("the first argument must be a folder, for the corpus")
    import atheris

    with atheris.instrument_imports(include=["bitstream"]):
        import bitstream  # noqa: F401
    from trust_cases import GOLDEN, inline_sealed, read_all, read_inline, resealed

    from ddncodec.zoo.weights_file import read_info, read_tables

    info = read_info(GOLDEN / "tiny.safetensors")
    tables = read_tables(info.path, len(info.layout))

    def try_out(data: bytes) -> None:
        read_all(data, info.layout, tables)
        read_all(resealed(data), info.layout, tables)
        read_inline(inline_sealed(data, info.identity), info.identity, info.layout, tables)

    atheris.Setup([*sys.argv, str(GOLDEN), *LIMITS], try_out)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
