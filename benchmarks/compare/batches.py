"""The rows as JSON, one file per codec, as webmproject/codec-compare reads them.

A batch is two lists of descriptions and two of values: constants of the whole batch, and fields of every file.
`index.json` names the batches, for the page of that project: `index.html?load=...`.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.compare.rows import RdRow
from ddncodec.files import write_atomically

INDEX_NAME = "index.json"
CONSTANTS = {
    "name": "Name of the batch",
    "codec": "Name of the codec",
    "version": "Libraries and model, with versions",
    "time": "Date of the measurements",
    "commit": "Commit of this project that measured",
    "machine": "Processor and number of cores",
    "metrics": "Packages that computed the metrics",
    "weights": "Bytes of the model that a decoder needs",
}
FIELDS = {
    "original_name": ("image", "Original image file name"),
    "width": ("width", "Pixel columns"),
    "height": ("height", "Pixel rows"),
    "quality": ("setting", "Quality setting of the codec"),
    "encoding_cmd": ("command", "Call that encoded"),
    "encoded_size": ("bytes", "Size of the encoded file in bytes, header included"),
    "encoding_time": ("encode_seconds", "Encoding, wall time in seconds"),
    "decoding_time": ("decode_seconds", "Decoding, wall time in seconds"),
    "encoding_cpu_time": ("encode_cpu", "Encoding, processor time of all threads in seconds"),
    "decoding_cpu_time": ("decode_cpu", "Decoding, processor time of all threads in seconds"),
    "encoding_memory": ("encode_memory", "Peak resident bytes of the encoding process"),
    "decoding_memory": ("decode_memory", "Peak resident bytes of the decoding process"),
    "load": ("load", "Load average of the machine over the minute before"),
    "psnr": ("psnr", "Peak signal-to-noise ratio in dB, 8-bit RGB"),
    "msssim": ("ms_ssim", "Multi-scale structural similarity, mean over R, G and B"),
    "ssimulacra2": ("ssimulacra2", "SSIMULACRA 2.1"),
}
"""Name of each field, the column it comes from, and its description."""


def write_batches(folder: Path, rows: Sequence[RdRow]) -> None:
    """Write CODEC.json for every codec of the rows, and the index."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(row.codec for row in rows))
    for name in names:
        _write(folder / f"{name}.json", batch([row for row in rows if row.codec == name]))
    _write(folder / INDEX_NAME, [[f"{name}.json"] for name in names])


def batch(rows: Sequence[RdRow]) -> dict[str, list]:
    """The batch of one codec's rows."""
    first = rows[0]
    constants = (first.codec, first.codec, first.codec_version, first.date, first.commit, first.machine,
                 first.metrics, first.weights)  # fmt: skip
    return {
        "constant_descriptions": [{name: text} for name, text in CONSTANTS.items()],
        "constant_values": list(constants),
        "field_descriptions": [{name: text} for name, (_, text) in FIELDS.items()],
        "field_values": [[_finite(getattr(row, column)) for column, _ in FIELDS.values()] for row in rows],
    }


def _finite(value: object) -> object:
    """JSON has no infinity, which is the PSNR of a perfect copy."""
    return None if value == math.inf else value


def _write(path: Path, value: dict | list) -> None:
    """One row of values a line, so that a changed row is a changed line."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text.replace("], [", "],\n[").replace("}, {", "},\n{") + "\n").encode())
