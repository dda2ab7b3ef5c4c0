"""What files say of their samples by numbers instead of a profile: gamma, primaries, and code points of ITU-T H.273."""

from __future__ import annotations

import dataclasses

import numpy as np

SRGB_PRIMARIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""White, red, green and blue as x, y (IEC 61966-2-1), in the order of the chunk cHRM."""
_PRIMARIES = {
    1: SRGB_PRIMARIES,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
"""ITU-T H.273, table 2."""
_UNSPECIFIED = 2
_SRGB_LIKE = frozenset({1, 6, 13, 14, 15})
"""Transfer functions of H.273 that pictures are shown with the curve of sRGB for."""
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_TRANSFER_NAMES = {16: "PQ", 17: "SMPTE ST 428-1", 18: "HLG"}
_GAMMA_TOLERANCE = 0.05
"""Exponents whose product with 1/2.2 is this near to 1 are taken for the curve of sRGB, as libpng does."""
_POINT_TOLERANCE = 0.003
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_ROWS = 1 << 18
"""Pixels that are converted at once."""


@dataclasses.dataclass(frozen=True)
class Light:
    """How samples are to be converted to sRGB, or a notice where they are taken for sRGB although they are not.

    `gamma` None: the curve of sRGB. `primaries` are white, red, green and blue as x, y.
    """

    notice: str | None = None
    gamma: float | None = None
    primaries: tuple[float, ...] = SRGB_PRIMARIES


def cicp_light(primaries: int, transfer: int, full_range: bool) -> Light | None:
    """What code points of H.273 mean for a picture of RGB; None for sRGB and for what is not specified."""
    if not full_range:
        return Light("cICP of narrow range is not used, the samples are taken for sRGB")
    points = SRGB_PRIMARIES if primaries == _UNSPECIFIED else _PRIMARIES.get(primaries)
    if points is None or transfer not in (_SRGB_LIKE | _GAMMAS.keys() | {_UNSPECIFIED}):
        name = _TRANSFER_NAMES.get(transfer, f"primaries {primaries}, transfer {transfer}")
        return Light(f"light of {name} (cICP) is not converted, the samples are taken for sRGB")
    return _unless_srgb(Light(None, _GAMMAS.get(transfer), points))


def gamma_light(gamma: float | None, chromaticities: tuple[float, ...] | None) -> Light | None:
    """What the chunks gAMA (the exponent of the encoding) and cHRM of PNG mean; None for sRGB."""
    if gamma is not None and not 0.01 <= gamma <= 100:
        return Light(f"gAMA (={gamma:g}) is not used, must be 0.01..100")
    if chromaticities is not None and not _are_primaries(chromaticities):
        return Light("cHRM is not used, it names no three colours")
    exponent = None if gamma is None or abs(gamma * 2.2 - 1) < _GAMMA_TOLERANCE else 1 / gamma
    return _unless_srgb(Light(None, exponent, chromaticities or SRGB_PRIMARIES))


def to_srgb(samples: np.ndarray, light: Light) -> np.ndarray:
    """Samples (H, W) or (H, W, 3) uint8 of some light as sRGB; colours outside it get its nearest ones, by channel."""
    linear = _linear(light.gamma).astype(np.float32)
    if samples.ndim == 2:
        return _encoded(linear)[samples]
    matrix = (np.linalg.inv(_to_xyz(SRGB_PRIMARIES)) @ _to_xyz(light.primaries)).T.astype(np.float32)
    flat, out = samples.reshape(-1, 3), np.empty_like(samples)
    for start in range(0, len(flat), _ROWS):
        out.reshape(-1, 3)[start : start + _ROWS] = _encoded(linear[flat[start : start + _ROWS]] @ matrix)
    return out


def _unless_srgb(light: Light) -> Light | None:
    near = max(abs(a - b) for a, b in zip(light.primaries, SRGB_PRIMARIES)) < _POINT_TOLERANCE
    if not near:
        return light
    return None if light.gamma is None else dataclasses.replace(light, primaries=SRGB_PRIMARIES)


def _are_primaries(points: tuple[float, ...]) -> bool:
    if len(points) != 8 or not all(0 <= point <= 1 for point in points) or not all(points[1::2]):
        return False
    return abs(np.linalg.det(_columns(points[2:]))) > 1e-3 and bool(np.isfinite(_to_xyz(points)).all())


def _columns(points: tuple[float, ...]) -> np.ndarray:
    """XYZ of chromaticities, with Y = 1, as columns."""
    return np.array([[x / y, 1, (1 - x - y) / y] for x, y in zip(points[::2], points[1::2])]).T


def _to_xyz(primaries: tuple[float, ...]) -> np.ndarray:
    """The matrix from linear RGB to XYZ, adapted to the white of sRGB by Bradford's transform."""
    colors = _columns(primaries[2:])
    white, target = _columns(primaries[:2]), _columns(SRGB_PRIMARIES[:2])
    matrix = colors * np.linalg.solve(colors, white).T
    scale = (_BRADFORD @ target) / (_BRADFORD @ white)
    adapted: np.ndarray = np.linalg.inv(_BRADFORD) @ (scale * _BRADFORD) @ matrix
    return adapted


def _linear(gamma: float | None) -> np.ndarray:
    """Linear light 0..1 of the 256 samples."""
    samples = np.arange(256) / 255
    if gamma is not None:
        return samples**gamma
    return np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Samples of linear light, clipped to 0..1, by the curve of sRGB."""
    clipped = linear.clip(0, 1)
    samples = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    encoded: np.ndarray = (samples * 255 + 0.5).astype(np.uint8)
    return encoded
