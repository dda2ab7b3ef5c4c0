"""`ddnc info`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click
import numpy as np

import bitstream
from bitstream import Level
from ddncodec.cli.failures import as_failures
from ddncodec.cli.options import FILE, examples
from ddncodec.errors import ModelError
from ddncodec.files import read_file
from ddncodec.zoo import registry
from ddncodec.zoo.weights_file import ModelInfo, read_probabilities


@click.command(
    epilog=examples(
        "ddnc info photo.ddn",
        "ddnc info photo.ddn --json",
        "ddnc info photo.ddn --levels",
        "ddnc info photo.ddn --indices",
    )
)
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--levels", "with_levels", is_flag=True, help="List what each level takes; needs the model.")
@click.option("--indices", "with_indices", is_flag=True, help="Print the indices of every level; needs the model.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every field.")
def info(file: Path, with_levels: bool, with_indices: bool, as_json: bool) -> None:
    """Describe a stream.

    FILE may be `-`, standard input. Prints sizes, model, passes and chunks. No model is needed, unless for --levels and
    --indices. Every checksum is verified. A stream that breaks off after its first pass is described as far as it
    goes.

    The bytes of a level are those that it would take in a pass of its own: passes hold several small levels.
    """
    with as_failures(file):
        data = read_file(file)
        found = bitstream.describe(data)
        model = _model(found.model_id)
        levels = _levels(data, model or registry.find_identity(bytes.fromhex(found.model_id))) if (
            with_levels or with_indices
        ) else []  # fmt: skip
    if as_json:
        facts = {"file": str(file), "model": model.name if model else None, **found.as_dict()}
        if levels:
            facts["levels"] = [level.as_dict(with_indices) for level in levels]
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo("\n".join(_lines(file, found, model.name if model else None)))
    for number, level in enumerate(levels, start=1):
        click.echo(f"level {number:3} {level}")
        if with_indices:
            click.echo("\n".join(" ".join(map(str, row)) for row in level.indices.tolist()))


@dataclasses.dataclass(frozen=True)
class LevelInfo:
    """One level of a stream: its shape, its indices (rows, cols), and its bytes in a pass of its own."""

    shape: Level
    indices: np.ndarray
    size: int

    def as_dict(self, with_indices: bool) -> dict[str, object]:
        rows, cols = self.indices.shape
        facts: dict[str, object] = {
            "cell": self.shape.cell, "outputs": self.shape.outputs, "rows": rows, "cols": cols,
            "taken": int(np.count_nonzero(self.indices)), "bytes": self.size,
        }  # fmt: skip
        return {**facts, "indices": self.indices.tolist()} if with_indices else facts

    def __str__(self) -> str:
        rows, cols = self.indices.shape
        cell = f"cells of {self.shape.cell:2} pixels" if self.shape.cell else "one cell"
        return (
            f"{cell}, K = {self.shape.outputs}: {cols} x {rows}, of them {np.count_nonzero(self.indices)} taken, "
            f"{self.size} bytes"
        )


def _model(identity: str) -> ModelInfo | None:
    try:
        return registry.find_identity(bytes.fromhex(identity))
    except ModelError:
        return None


def _levels(data: bytes, model: ModelInfo) -> list[LevelInfo]:
    stream = bitstream.read_stream(data, allow_partial=True)
    probabilities = read_probabilities(model.path, len(model.layout))
    planes = bitstream.decode_planes(stream, model.layout, probabilities)
    header = dataclasses.replace(stream.header, compact=False)
    passes = bitstream.encode_planes(planes, model.layout, header, probabilities, [1] * len(planes))
    return [LevelInfo(*each) for each in zip(model.layout, planes, (len(p.payload) for p in passes))]


def _lines(file: Path, found: bitstream.Description, model: str | None) -> list[str]:
    step = "not recorded" if found.lambda_step is None else f"{found.rate_lambda:.4g} (step {found.lambda_step})"
    lines = [
        f"file      {file}",
        f"picture   {found.width} x {found.height}, {'gray' if found.gray else 'RGB'}",
        f"size      {found.total_bytes} bytes, {found.bits_per_pixel:.4f} bpp, "
        f"of them {found.overhead_bytes} bytes overhead",
        f"format    version {found.version}, {'coded' if found.coded else 'plain'}"
        f"{', compact' if found.compact else ''}",
        f"model     {found.model_id}, {model or 'not installed'}",
        f"lambda    {step}",
    ]
    lines += [f"chunk     {chunk.name} (type {chunk.type}), {chunk.payload_bytes} bytes" for chunk in found.chunks]
    total = 0
    for each in found.passes:
        total += each.levels
        levels = f"levels to {total}" if each.levels else "all levels"
        lines.append(f"pass      {levels}: {each.payload_bytes} bytes, {each.end} in all")
    if found.torn_bytes:
        lines.append(f"torn      {found.torn_bytes} bytes of an unfinished pass or chunk")
    return lines
