"""One stream shown level by level: as pictures in a folder, or as an animation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import click
from PIL import Image

from ddncodec.cli.batch.coding import Decoding
from ddncodec.cli.batch.jobs import Job, Words, check_output, read
from ddncodec.cli.batch.run import Outcome, Policy, Product, attempt, written
from ddncodec.cli.failures import Failure, as_failures
from ddncodec.images.files import ANIMATIONS, write_animation, write_picture

Written: TypeAlias = Callable[[], "tuple[bytes, tuple[str, ...]]"]
"""Makes the bytes of a file, and notices."""


@dataclasses.dataclass(frozen=True)
class Views:
    """Where the levels of a stream go: to pictures in `folder`, to one `animation`, or both."""

    folder: Path | None
    animation: Path | None
    suffix: str

    def check(self, words: Words) -> Path:
        """The stream. Raises click.UsageError unless it is all that is named, Failure where nothing can be written."""
        if len(words.files) != 1 or words.output is not None:
            raise click.UsageError("--progressive and --preview take one IN and no OUT")
        if self.animation is not None:
            if self.animation.suffix.lower() not in ANIMATIONS:
                raise click.UsageError(f"--preview {self.animation}: suffix must be {' or '.join(ANIMATIONS)}")
            check_output(self.animation)
        if self.folder is not None:
            check_output(self.picture(1), make_folders=True)
        return words.files[0]

    @property
    def target(self) -> Path:
        """What stands for all that is written."""
        target = self.folder or self.animation
        assert target is not None
        return target

    def picture(self, level: int) -> Path:
        """Where the picture after so many levels goes."""
        assert self.folder is not None
        return self.folder / f"level{level:02}{self.suffix}"


def show(decoding: Decoding, source: Path, views: Views, policy: Policy) -> Iterator[Outcome]:
    """Write what is asked for; yields an outcome for each file, or one for a stream that cannot be decoded."""
    frames: list[Image.Image] = []
    try:
        with as_failures(source):
            stored = read(source)
            for level, picture in enumerate(decoding.progression(stored), start=1):
                if views.folder is not None:
                    job, write = Job(source, views.picture(level)), partial(write_picture, picture, decoding.writing)
                    yield _shown(job, write, picture, len(stored), policy)
                if views.animation is not None:
                    frames.append(picture)
            if views.animation is not None:
                writing = dataclasses.replace(decoding.writing, name=ANIMATIONS[views.animation.suffix.lower()])
                job, write = Job(source, views.animation), partial(write_animation, frames, writing)
                yield _shown(job, write, frames[-1], len(stored), policy)
    except Failure as failure:
        yield Outcome(Job(source, views.target), error=failure.message)


def _shown(job: Job, write: Written, picture: Image.Image, input_bytes: int, policy: Policy) -> Outcome:
    def make() -> Outcome:
        data, notices = write()
        return Outcome(job, Product(data, picture.width, picture.height, input_bytes, notices))

    return policy.settle(job) or written(attempt(job, make))
