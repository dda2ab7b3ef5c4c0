"""`ddnc models`."""

from __future__ import annotations

import json

import click

from ddncodec.cli.options import examples
from ddncodec.zoo import registry


@click.command(epilog=examples("ddnc models", "DDNC_MODEL_PATH=runs/mine ddnc models --json"))
@click.option("--json", "as_json", is_flag=True, help="A JSON list with every field.")
def models(as_json: bool) -> None:
    """List the installed models.

    Prints name, id, size and what each is for. Models are found in the package and in the folders of the environment
    variable DDNC_MODEL_PATH.
    """
    rows = [
        {
            "name": info.name,
            "id": info.identity.hex(),
            "bytes": info.path.stat().st_size,
            "levels": len(info.layout),
            "about": info.about,
            "path": str(info.path),
        }
        for info in registry.installed()
    ]
    for _, reason in registry.unreadable():
        click.echo(f"ddnc: left out: {reason}", err=True)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        click.echo(f"{row['name']:{width}}  {row['id']}  {row['bytes']:>10} bytes  {row['about']}")
    if not rows:
        click.echo(f"no models in {registry.SHIPPED} or {registry.SEARCH_VARIABLE}", err=True)
