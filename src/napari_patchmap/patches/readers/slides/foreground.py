"""Where on a slide there is something to see: tissue, not bare glass."""

from __future__ import annotations

import numpy as np

from napari_patchmap.patches.tile_config import TileConfig

#: Least saturation of tissue, and the one from which it is tissue without a doubt. Otsu's
#: method splits everything in two, also bare glass, and also tissue without any glass.
_SATURATIONS = (0.04, 0.25)

#: Darker than this there is nothing to see: the black that scanners fill borders with.
_BLACK = 0.08

#: Least difference of the mean saturation of tissue and of glass.
_CONTRAST = 0.04

#: Mean saturation from which a picture without such a contrast is tissue and not glass.
_ALONE = 0.12

#: Least brightness of the foreground above the background, as a share of the latter.
_BRIGHTER = 0.1


def foreground_mask(pixels: np.ndarray, rgb: bool, config: TileConfig) -> np.ndarray:
    """Tell tissue from background on a small picture of a slide, ``(height, width, channel)``.

    In colour slides (``rgb``) tissue is what has colour; in others, fluorescence say, what is
    bright. Returned is an array of bool; nothing is True on bare glass.
    """
    if config.foreground == "none":
        return np.ones(pixels.shape[:2], bool)
    if not rgb:
        return _bright(pixels)
    full = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1
    colours = np.clip(pixels.astype(np.float32) / np.float32(full), 0, 1)
    if config.foreground == "hsv":
        return _within(colours, config)
    return _coloured(colours)


def otsu(values: np.ndarray) -> float:
    """Return the threshold that separates two groups of finite values best.

    Largest variance between the groups, over a histogram of 256 bins: Otsu, "A
    threshold selection method from gray-level histograms" (1979).
    """
    counts, edges = np.histogram(values, 256)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = values.size - below
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
        between = np.nan_to_num(below * above * gap**2)
    # Several empty bins between two groups are equally good: their middle.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float(edges[1:-1][best].mean())


def shares(mask: np.ndarray, boxes: np.ndarray, scale: float) -> np.ndarray:
    """Return which share, 0 to 1, of each box is foreground.

    Boxes are rows of y, x, height and width in level-0 pixels, of which one pixel of the mask
    spans ``scale``.
    """
    # Sum over everything above and left of a corner: four look-ups a box, however large.
    height, width = mask.shape
    integral = np.zeros((height + 1, width + 1), np.int32)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int32), axis=1, out=integral[1:, 1:])
    y, x, tall, wide = np.asarray(boxes, np.float64).T / scale

    def above_left(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        y, x = np.clip(y, 0, height), np.clip(x, 0, width)
        top, left = np.minimum(y.astype(int), height - 1), np.minimum(x.astype(int), width - 1)
        down, right = y - top, x - left
        return (
            integral[top, left] * (1 - down) * (1 - right)
            + integral[top + 1, left] * down * (1 - right)
            + integral[top, left + 1] * (1 - down) * right
            + integral[top + 1, left + 1] * down * right
        )

    bottom, right = y + tall, x + wide
    inside = (
        above_left(bottom, right)
        - above_left(y, right)
        - above_left(bottom, x)
        + above_left(y, x)
    )
    return np.clip(inside / np.maximum(tall * wide, 1e-9), 0, 1)


def _coloured(colours: np.ndarray) -> np.ndarray:
    """Otsu on the saturation of HSV."""
    value = colours.max(axis=2)
    saturation = (value - colours.min(axis=2)) / np.maximum(value, np.float32(1e-6))
    seen = value >= _BLACK
    if not seen.any():
        return seen
    low, sure = _SATURATIONS
    threshold = otsu(saturation[seen])
    mask = seen & (saturation > threshold)
    rest = seen & ~mask
    means = [float(saturation[part].mean()) if part.any() else 0.0 for part in (mask, rest)]
    if means[0] - means[1] < _CONTRAST:
        # One group only: bare glass, or tissue through and through.
        return seen & (saturation[seen].mean() > _ALONE)
    return seen & (saturation > np.clip(threshold, low, sure))


def _within(colours: np.ndarray, config: TileConfig) -> np.ndarray:
    """Keep what lies within ranges of hue, saturation and value."""
    from matplotlib.colors import rgb_to_hsv

    hue, saturation, value = np.moveaxis(rgb_to_hsv(colours), -1, 0)
    low, high = config.hue_low, config.hue_high
    # Hue is a circle; red lies at both its ends.
    hues = (hue > low) & (hue < high) if low <= high else (hue > low) | (hue < high)
    values = (value > config.value_low) & (value < config.value_high)
    return hues & (saturation > config.saturation_low) & values


def _bright(pixels: np.ndarray) -> np.ndarray:
    """Otsu on the brightness; each channel counts the same, however strong its signal."""
    values = pixels.astype(np.float32)
    mask = np.zeros(pixels.shape[:2], bool)
    total = np.zeros(pixels.shape[:2], np.float32)
    for channel in np.moveaxis(values, -1, 0):
        low, high = np.percentile(channel, (1, 99.8))
        background = float(np.median(channel[channel <= otsu(channel)]))
        if high - background > _BRIGHTER * abs(background) and high > low:
            total += np.clip((channel - low) / (high - low), 0, 1)
    if total.max() > 0:
        mask = total > otsu(total)
    return mask
