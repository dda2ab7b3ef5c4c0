"""Pictures drawn by code, and rows made up by formula."""

import drawing
import numpy as np
from PIL import Image

from benchmarks.compare.rows import RdRow

WIDTH, HEIGHT = 96, 64


def draw_picture(seed: int) -> Image.Image:
    """A drawn picture of WIDTH x HEIGHT pixels."""
    return Image.fromarray(drawing.draw_picture(HEIGHT, WIDTH, seed))


def make_rows(codec: str, image: str = "a.png", rate: float = 1.0, gain: float = 0.0) -> list[RdRow]:
    """Five settings on the line 30 dB + 6 dB per doubling of rate, moved by `rate` and `gain`."""
    return [
        RdRow(
            image=image,
            width=100,
            height=80,
            codec=codec,
            codec_version=f"{codec} 1.0",
            setting=setting,
            command=f"{codec} --quality {setting}",
            bytes=round(1000 * bpp * rate),
            bpp=bpp * rate,
            psnr=30 + gain + 6 * np.log2(bpp / 0.2),
            ms_ssim=None,
            ssimulacra2=None,
            encode_seconds=0.1,
            decode_seconds=0.01,
            encode_cpu=0.2,
            decode_cpu=0.02,
            encode_memory=100_000_000,
            decode_memory=None,
            weights=0,
            metrics="none",
            machine="test, 1 cores",
            load=0.5,
            python="3.11.0",
            torch="none",
            pillow="0",
            date="2025-01-01",
            commit="unknown",
        )
        for setting, bpp in enumerate((0.05, 0.1, 0.2, 0.4, 0.8))
    ]
