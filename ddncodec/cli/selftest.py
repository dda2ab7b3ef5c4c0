"""`ddnc selftest`."""

from __future__ import annotations

import click

from ddncodec.cli.failures import FAILED
from ddncodec.cli.options import examples, quiet_option


@click.command(epilog=examples("ddnc selftest", "ddnc selftest --model mine.safetensors"))
@click.option("--model", default="photo", show_default=True, metavar="NAME|PATH", help="The model to test with.")
@quiet_option
@click.pass_context
def selftest(ctx: click.Context, model: str, quiet: bool) -> None:
    """Check that this machine decodes as it must.

    Encodes small pictures drawn by the program and decodes them with 1 and 2 threads, in float32 and bfloat16, one by
    one and in batches, on the processor and on a GPU where there is one. All must give the encoder's indices; pixels
    may differ by 1 of 255 in float32, and bfloat16 may cost 0.1 dB of PSNR. The exit status is 1 if any does not.
    """
    from ddncodec.selftest import run

    failed = False
    for check in run(model):
        failed |= not check.passed
        if not quiet or not check.passed:
            click.echo(
                f"{'ok    ' if check.passed else 'FAILED'} {check.way!s:34} wrong indices {check.wrong_indices}, "
                f"largest difference {check.difference}, PSNR loss {check.loss:.4f} dB",
                err=not check.passed,
            )
    ctx.exit(FAILED if failed else 0)
