"""Slides as scanners and programs write them, made with tifffile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile


def tissue(height: int = 600, width: int = 800, seed: int = 0) -> np.ndarray:
    """White glass with a pink ellipse of tissue in the middle of its left half, RGB uint8."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), (244, 243, 245), np.float64)
    y, x = np.mgrid[:height, :width]
    inside = ((y - height / 2) / (height / 3)) ** 2 + ((x - width / 4) / (width / 5)) ** 2 < 1
    image[inside] = (200, 110, 170)
    image += rng.normal(0, 3, image.shape) + inside[..., None] * rng.normal(0, 15, image.shape)
    return image.clip(0, 255).astype(np.uint8)


def glass(height: int = 600, width: int = 800) -> np.ndarray:
    """Nothing but glass, with the noise and slight tint that scanners give it."""
    noise = np.random.default_rng(1).normal(0, 2, (height, width, 3))
    return (np.array([243, 241, 244]) + noise).clip(0, 255).astype(np.uint8)


def smaller(image: np.ndarray, k: int = 2) -> np.ndarray:
    """Average ``k`` x ``k`` pixels of ``(height, width, ...)``, without what is left over."""
    height, width = image.shape[0] // k, image.shape[1] // k
    cut = image[: height * k, : width * k].reshape(height, k, width, k, -1)
    return cut.mean(axis=(1, 3)).astype(image.dtype).reshape(height, width, *image.shape[2:])


def write_pyramid(
    path: Path,
    image: np.ndarray,
    levels: int = 3,
    compression: str = "deflate",
    **options: object,
) -> Path:
    """Write a tiled pyramid whose smaller levels are SubIFDs, as QuPath and bioformats do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    common = {"tile": (128, 128), "compression": "deflate", "photometric": "rgb", **options}
    with tifffile.TiffWriter(path) as tif:
        tif.write(image, subifds=levels - 1, **common)
        for _ in range(levels - 1):
            image = smaller(image)
            tif.write(image, subfiletype=1, **common)
    return path


def write_aperio(path: Path, image: np.ndarray, facts: str = "AppMag = 20|MPP = 0.5") -> Path:
    """Write an SVS: full size, thumbnail in strips, a level of a quarter, each a page."""
    height, width = image.shape[:2]
    said = f"Aperio Image Library v12.0\r\n{width}x{height}|{facts}"
    tiled = {"tile": (128, 128), "compression": "jpeg", "compressionargs": {"level": 95}}
    with tifffile.TiffWriter(path) as tif:
        for pixels, options in (
            (image, tiled),
            (smaller(image, 5), {"compression": "jpeg", "rowsperstrip": 16}),
            (smaller(image, 4), tiled),
        ):
            tif.write(pixels, photometric="rgb", description=said, metadata=None, **options)
    return path


def write_fluorescence(path: Path, image: np.ndarray, mpp: float | None = 0.65) -> Path:
    """Write ``(channel, height, width)`` as an OME-TIFF pyramid with two levels."""
    metadata: dict[str, object] = {
        "axes": "CYX",
        "Channel": {"Name": ["DAPI", "CD3", "CD8", "PanCK"][: len(image)]},
    }
    if mpp is not None:
        metadata |= {"PhysicalSizeX": mpp * 1000, "PhysicalSizeXUnit": "nm"}
    common = {"tile": (128, 128), "compression": "zlib", "photometric": "minisblack"}
    with tifffile.TiffWriter(path, ome=True) as tif:
        tif.write(image, subifds=1, metadata=metadata, **common)
        half = np.stack([smaller(one) for one in image])
        tif.write(half, subfiletype=1, **common)
    return path


def cells(height: int = 512, width: int = 640) -> np.ndarray:
    """Four channels of 16 bits: noise on an offset, and bright tissue at the upper left."""
    rng = np.random.default_rng(2)
    image = rng.normal(300, 20, (4, height, width))
    for i, channel in enumerate(image):
        channel[: height // 2, : width // 2] += rng.gamma(2, 400 * (i + 1), channel.shape)[
            : height // 2, : width // 2
        ]
    return image.clip(0, 65535).astype(np.uint16)
