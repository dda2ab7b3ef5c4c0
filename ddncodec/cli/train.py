"""`ddnc train`: the options. What they start is in `cli.training`."""

from __future__ import annotations

from pathlib import Path

import click

from ddncodec.cli.options import FILE, examples


@click.command(
    epilog=examples(
        "ddnc train --data photos/ --name mine --max-minutes 60",
        "ddnc train --data photos/ --resume runs/mine",
        "ddnc train --data photos/ --init photo --steps 5000 --name better",
        "ddnc train --data photos/ --init photo --config photo-visual --steps 400",
        "ddnc train --data photos.zip --config photo --device cuda --validate kodak/",
        "torchrun --nproc-per-node 2 -m ddncodec.cli train --data photos/",
    )
)
@click.option("--data", required=True, type=FILE, metavar="DIR|ZIP", help="Pictures to train on.")
@click.option("--config", metavar="NAME", help="Recipe by name; an unknown one lists them.  [default: photo]")
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Make the recipe's last phase end at step N.")
@click.option(
    "--accumulate",
    type=click.IntRange(1),
    metavar="N",
    help="Batches per process whose gradients a step adds up.  [default: the recipe's]",
)
@click.option("--init", metavar="NAME|PATH", help="Begin with the weights of this model, and train its last phase on.")
@click.option("--name", metavar="NAME", help="Of the model.  [default: the recipe's]")
@click.option(
    "--run",
    "--run-dir",
    "run",
    type=FILE,
    metavar="DIR",
    help="Folder of the run; under torchrun, which takes --run for its own, spell it --run-dir.  [default: runs/NAME]",
)
@click.option(
    "--resume",
    type=FILE,
    metavar="RUN",
    help="Continue the run in this folder with the options that it was begun with.",
)
@click.option(
    "--max-minutes", type=click.FloatRange(0, min_open=True), metavar="M", help="Stop after M minutes, to be resumed."
)
@click.option("--release", "release_early", is_flag=True, help="Write weights even if the recipe is not complete.")
@click.option("--validate", type=FILE, metavar="DIR", help="Print rate and distortion of the weights over pictures.")
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, ...  [default: cuda if there is one]")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    help="Of the convolutions.  [default: bfloat16 where the device has instructions for it]",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads of the network.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors and the table of --validate.")
@click.pass_context
def train(
    ctx: click.Context,
    data: Path,
    config: str | None,
    steps: int | None,
    accumulate: int | None,
    init: str | None,
    name: str | None,
    run: Path | None,
    resume: Path | None,
    max_minutes: float | None,
    release_early: bool,
    validate: Path | None,
    device: str | None,
    precision: str | None,
    threads: int | None,
    quiet: bool,
) -> None:
    """Train a model on pictures.

    Its weights are written to RUN/NAME.safetensors. RUN also holds checkpoint.pt (every few minutes), run.json (what
    --resume needs) and log.csv. An interrupted run, whether by Ctrl-C, SIGTERM or --max-minutes, leaves a checkpoint;
    resuming it on the same machine gives the weights that it would have had. Weights are written when the recipe is
    complete.
    """
    if resume is not None and (config or steps or accumulate or init or name or run or precision):
        raise click.UsageError(
            "--resume takes --config, --steps, --accumulate, --init, --name, --run and --precision from the run itself"
        )

    from ddncodec.cli.training.session import Plan, TrainingRun, train_run

    plan = None if resume else Plan(config or "photo", steps, name or config or "photo", init, precision, accumulate)
    folder = resume or run or Path("runs") / (name or config or "photo")
    status = train_run(
        TrainingRun(
            data=data,
            folder=folder,
            plan=plan,
            max_seconds=60 * max_minutes if max_minutes else float("inf"),
            release_early=release_early,
            validate=validate,
            device=device,
            threads=threads,
            quiet=quiet,
        )
    )
    ctx.exit(status)
