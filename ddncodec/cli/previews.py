"""One stream shown level by level: as pictures in a folder, or as an animation."""

from __future__ import annotations

import io
from pathlib import Path

import click
from PIL import Image

from ddncodec.cli.batch import read
from ddncodec.cli.batch_options import Batch
from ddncodec.cli.coding import Machine
from ddncodec.cli.failures import Failure, as_failures
from ddncodec.cli.jobs import check_output
from ddncodec.cli.picture_files import Writing, picture_format, write_picture
from ddncodec.files import write_atomically

FRAME_MILLISECONDS, LAST_MILLISECONDS = 120, 2000
ANIMATIONS = {".gif": "GIF", ".webp": "WEBP"}


def show(machine: Machine, batch: Batch, folder: Path | None, animation: Path | None, suffix: str) -> None:
    """Write level01.png and so on to `folder`, and an animation; either may be None.

    Raises click.UsageError unless there is one input and no output, Failure where something cannot be read or written.
    """
    if len(batch.words.files) != 1 or batch.words.output is not None:
        raise click.UsageError("--progressive and --preview take one IN and no OUT")
    (source,) = batch.words.files
    writing = Writing(picture_format(suffix, folder or Path(suffix)))
    if animation is not None:
        if animation.suffix.lower() not in ANIMATIONS:
            raise click.UsageError(f"--preview {animation}: suffix must be {' or '.join(ANIMATIONS)}")
        check_output(animation)
    if folder is not None:
        check_output(folder / f"level01{suffix}", make_folders=True)
    written = []
    with as_failures(source):
        data = read(source)
        codec = machine.codec_for(data)
        frames = []
        for number, picture in enumerate(codec.decode_progressive(data), start=1):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                written.append(folder / f"level{number:02}{suffix}")
                write_atomically(written[-1], write_picture(picture, writing)[0])
            if animation is not None:
                frames.append(picture)
    if animation is not None:
        write_atomically(animation, _animated(frames, ANIMATIONS[animation.suffix.lower()]))
        written.append(animation)
    if not batch.quiet:
        click.echo("\n".join(f"{path}: {path.stat().st_size} bytes" for path in written))


def _animated(frames: list[Image.Image], name: str) -> bytes:
    """Frames as an endless animation that rests at the last one."""
    file = io.BytesIO()
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    try:
        frames[0].save(file, name, save_all=True, append_images=frames[1:], duration=durations, loop=0)
    except (OSError, ValueError) as error:
        raise Failure(f"the animation cannot be written: {error}") from error
    return file.getvalue()
