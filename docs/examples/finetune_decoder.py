"""Fine-tune the decoder of a model for one set of pictures, at equal bytes.

    python docs/examples/finetune_decoder.py photos/ --model photo --steps 200 --out tuned

encodes the pictures, trains all weights with the indices fixed, and writes the tuned model, streams that name it, and
the first picture: the original, decoded before, and after.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from statistics import fmean

import click
import numpy as np
from PIL import Image

import bitstream
from ddncodec import Codec
from ddncodec.files import write_atomically
from ddncodec.metrics import finite_psnr
from ddncodec.training.data.pictures import Pictures
from ddncodec.training.finetune import finetune
from ddncodec.zoo.loading import save_model


@click.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option("--model", default="photo", show_default=True)
@click.option("--quality", default=50.0, show_default=True, type=click.FloatRange(0, 100))
@click.option("--steps", default=200, show_default=True, type=click.IntRange(1))
@click.option("--learning-rate", default=1e-4, show_default=True)
@click.option("--limit", default=12, show_default=True, type=click.IntRange(1), help="Number of pictures to take.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def main(data: Path, model: str, quality: float, steps: int, learning_rate: float, limit: int, out: Path) -> None:
    """Encode, fine-tune the decoder, and decode again."""
    codec, source = Codec(model), Pictures(data)
    pictures = [source.picture(index) for index in range(min(limit, len(source)))]
    streams = [unfiltered(data) for data in codec.encode_batch(pictures, quality, tune="psnr")]
    planes, headers = [codec.planes(data) for data in streams], [bitstream.read_header(data) for data in streams]
    network = codec.engine.model.network
    first = [pictures[0], codec.decode_array(streams[0])]
    before = [quality_of(codec, data, picture) for data, picture in zip(streams, pictures)]
    finetune(codec.engine, pictures, planes, headers, steps=steps, learning_rate=learning_rate)

    out.mkdir(parents=True, exist_ok=True)
    about = f"{codec.info.name} tuned to {len(pictures)} pictures"
    used = codec.engine.model
    info = save_model(out / "tuned.safetensors", network, used.tables, name="tuned", about=about, prior=used.prior)
    tuned, after = Codec(info.path), []
    for number, (stream, picture) in enumerate(zip(streams, pictures)):
        parsed = bitstream.read_stream(stream)
        renamed = dataclasses.replace(parsed.header, model_id=info.identity)
        retagged = bitstream.write_stream(renamed, parsed.elements)
        assert len(retagged) == len(stream)
        write_atomically(out / f"{number:03}.ddn", retagged)
        after.append(quality_of(tuned, retagged, picture))
    first.append(tuned.decode_array((out / "000.ddn").read_bytes()))
    Image.fromarray(np.hstack(first)).save(out / "tuned.png", optimize=True)
    size = sum(map(len, streams))
    click.echo(f"{len(pictures)} pictures, {size} bytes: {fmean(before):.2f} dB before, {fmean(after):.2f} dB after")


def unfiltered(data: bytes) -> bytes:
    """A stream without its post-filter, which was fitted to the decoder as it was."""
    stream = bitstream.read_stream(data)
    return bitstream.write_stream(stream.header, stream.passes)


def quality_of(codec: Codec, data: bytes, picture: np.ndarray) -> float:
    """PSNR in dB over 8-bit RGB."""
    return finite_psnr(picture, np.asarray(codec.decode(data).convert("RGB")))


if __name__ == "__main__":
    main()
