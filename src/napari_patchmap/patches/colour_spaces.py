"""Printing inks, CIELab and YCbCr, as they are stored, brought to red, green and blue."""

from __future__ import annotations

import numpy as np

from napari_patchmap.optional import optional

imagecodecs = optional("imagecodecs")

#: What TIFF 6.0 assumes if a file does not say: the weights of ITU-R BT.601, and which
#: numbers are black and white.
WEIGHTS = (0.299, 0.587, 0.114)
FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)


def cmyk_to_rgb(inks: np.ndarray, top: int = 255, profile: bytes | None = None) -> np.ndarray:
    """Turn amounts of cyan, magenta, yellow and black, 0 to ``top``, into RGB of the same type.

    By the file's own colour profile where it has one that can be used; else each ink takes
    away its share of the light.
    """
    inks = inks[..., :4]
    if profile and top in (255, 65535):
        try:
            return _by_profile(inks, profile, "cmyk", inks.dtype)
        except Exception:  # noqa: BLE001 - a damaged profile: any error of its library
            pass
    light = (top - inks.astype(np.float64)) / top
    return np.rint(light[..., :3] * light[..., 3:] * top).astype(inks.dtype)


def lab_to_rgb(stored: np.ndarray, icc: bool) -> np.ndarray:
    """Turn CIELab (of the white D50) as TIFF stores it into sRGB of as many bits."""
    bits = 8 * stored.dtype.itemsize
    out = np.dtype(f"u{stored.dtype.itemsize}")
    unsigned = stored.view(out).astype(np.float32)
    white, unit = float(2**bits - 1), 2.0 ** (bits - 8)
    if icc:
        white = 65280.0 if bits == 16 else white
        colours = (unsigned[..., 1:] - 2.0 ** (bits - 1)) / unit
    else:
        colours = stored[..., 1:].view(f"i{stored.dtype.itemsize}").astype(np.float32) / unit
    lightness = unsigned[..., :1] * np.float32(100 / white)
    lab = np.concatenate([lightness, colours], axis=-1, dtype=np.float32)
    return _by_profile(lab, imagecodecs.cms_profile("lab4"), "lab", out)


def _by_profile(pixels: np.ndarray, profile: bytes, space: str, out: np.dtype) -> np.ndarray:
    flat = np.ascontiguousarray(pixels).reshape(1, -1, pixels.shape[-1])
    rgb = imagecodecs.cms_transform(
        flat, profile, imagecodecs.cms_profile("srgb"), colorspace=space, outcolorspace="rgb",
        outdtype=out.str[1:],
    )  # fmt: skip
    return rgb.reshape(*pixels.shape[:-1], 3)


def ycbcr_to_rgb(
    pixels: np.ndarray,
    coefficients: tuple[float, ...] = WEIGHTS,
    references: tuple[float, ...] = FULL_RANGE,
) -> np.ndarray:
    """Turn YCbCr of 8 bits into RGB, by the equations of TIFF 6.0, section 21."""
    red_share, green_share, blue_share = coefficients
    low, high = np.array(references[::2]), np.array(references[1::2])
    scale = np.array([255.0, 127.0, 127.0]) / np.where(high > low, high - low, 1)
    luma, blue, red = np.moveaxis((pixels[..., :3].astype(np.float64) - low) * scale, -1, 0)
    red = luma + red * (2 - 2 * red_share)
    blue = luma + blue * (2 - 2 * blue_share)
    green = (luma - blue_share * blue - red_share * red) / green_share
    return np.clip(np.rint(np.stack([red, green, blue], axis=-1)), 0, 255).astype(np.uint8)
