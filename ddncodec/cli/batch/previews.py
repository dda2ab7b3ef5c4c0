"""One stream shown level by level: as pictures in a folder, or as an animation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import click
from PIL import Image

from ddncodec.batch.decoding import DecodeOptions, decode_levels
from ddncodec.batch.existing import Policy, settle
from ddncodec.batch.jobs import check_distinct, check_output
from ddncodec.batch.outcomes import FileJob, Outcome, Product, failing_alone
from ddncodec.batch.run import written
from ddncodec.cli.batch.options import FileArguments
from ddncodec.files import read_file
from ddncodec.images.files import ANIMATIONS, Writing, write_animation, write_picture


@dataclasses.dataclass(frozen=True)
class Views:
    """Where the levels of a stream go: to pictures in `folder`, to one `animation`, or both."""

    folder: Path | None
    animation: Path | None
    suffix: str

    def check(self, words: FileArguments) -> Path:
        """The stream. Raises click.UsageError unless it is all that is named, ArgumentError for an output."""
        if len(words.files) != 1 or words.output is not None:
            raise click.UsageError("--progressive and --preview take one IN and no OUT")
        if self.animation is not None:
            if self.animation.suffix.lower() not in ANIMATIONS:
                raise click.UsageError(f"--preview {self.animation}: suffix must be {' or '.join(ANIMATIONS)}")
            check_output(self.animation)
            check_distinct([FileJob(Path(words.files[0]), self.animation)])
        if self.folder is not None:
            check_output(self.picture(1), make_folders=True)
        return Path(words.files[0])

    @property
    def target(self) -> Path:
        """What stands for all that is written."""
        target = self.folder or self.animation
        assert target is not None
        return target

    def picture(self, level: int) -> Path:
        """Where the picture after the first `level` levels goes."""
        assert self.folder is not None
        return self.folder / f"level{level:02}{self.suffix}"


def show(source: Path, views: Views, options: DecodeOptions, policy: Policy) -> Iterator[Outcome]:
    """Write what is asked for; yields an outcome for each file, or one for a stream that cannot be decoded."""
    frames: list[Image.Image] = []
    whole = FileJob(source, views.target)
    failed: dict[FileJob, Outcome] = {}
    with failing_alone(whole, failed):
        stored = read_file(source)
        for level, picture in enumerate(decode_levels(stored, options), start=1):
            if views.folder is not None:
                job = FileJob(source, views.picture(level))
                yield _shown(job, [picture], options.writing, len(stored), policy)
            if views.animation is not None:
                frames.append(picture)
        if views.animation is not None:
            writing = dataclasses.replace(options.writing, name=ANIMATIONS[views.animation.suffix.lower()])
            yield _shown(FileJob(source, views.animation), frames, writing, len(stored), policy)
    yield from failed.values()


def _shown(job: FileJob, frames: list[Image.Image], writing: Writing, input_bytes: int, policy: Policy) -> Outcome:
    """A picture, or an animation of several, in its file."""
    settled, _ = settle([job], policy, lambda target: True)
    outcomes = {outcome.job: outcome for outcome in settled}
    if job not in outcomes:
        with failing_alone(job, outcomes):
            data, notices = write_animation(frames, writing) if len(frames) > 1 else write_picture(frames[0], writing)
            outcomes[job] = written(Outcome(job, Product(data, *frames[-1].size, input_bytes, notices)))
    return outcomes[job]
