"""`ddnc info`."""

from __future__ import annotations

import json
from pathlib import Path

import click

import bitstream
from ddncodec import registry
from ddncodec.cli.failures import as_failures
from ddncodec.cli.options import FILE, examples
from ddncodec.errors import ModelError


@click.command(epilog=examples("ddnc info photo.ddn", "ddnc info photo.ddn --json"))
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every field.")
def info(file: Path, as_json: bool) -> None:
    """Describe a stream.

    Prints sizes, model and passes. No model is needed. Every checksum is verified. A stream that breaks off behind its
    first pass is described as far as it goes.
    """
    with as_failures(file):
        found = bitstream.describe(file.read_bytes())
    model = _model_name(found.model_id)
    if as_json:
        click.echo(json.dumps({"file": str(file), "model": model, **found.as_dict()}, indent=2))
    else:
        click.echo("\n".join(_lines(file, found, model)))


def _model_name(identity: str) -> str | None:
    try:
        return registry.find_identity(bytes.fromhex(identity)).name
    except ModelError:
        return None


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
