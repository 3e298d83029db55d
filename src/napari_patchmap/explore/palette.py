"""One palette for map, legend, gallery frames and figures."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np

#: Okabe and Ito's colour-blind-safe colours (without black); then, one after the other,
#: those that are farthest from all before them in OKLab, for people with and without
#: deuteranopia, and stand out from a black and a white canvas.
_SAFE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#96005A",
    "#0000FF", "#D21EFF", "#785A00", "#4BF087", "#690FC3", "#FF96FF", "#FF0069", "#7869FF",
    "#00C300", "#C32DA5", "#694B87", "#69C387", "#006900", "#FF4BD2", "#C3000F", "#C378FF",
    "#A55A69", "#FF9696", "#4BE1E1", "#969600", "#9600FF", "#007869", "#8787D2", "#FFC387",
    "#3C4BE1", "#B4C300", "#9600A5", "#965AC3", "#1E96B4", "#B4A5F0", "#009600", "#873C3C",
)  # fmt: skip

#: Colour of points without a label.
MISSING = "#8A8A8A"


def categorical_colours(n: int) -> np.ndarray:
    """Return ``n`` colours that stay apart, for colour-blind people too.

    The first 40 are a fixed set; beyond it hue and lightness step together, so that
    neighbours in the list differ in lightness as well.

    Returns
    -------
    ndarray of float32, shape (n, 4)
        RGBA, 0 to 1.
    """
    colours = [_hex(c) for c in _SAFE[:n]]
    golden = 0.61803398875
    for i in range(len(colours), n):
        hue = (0.03 + i * golden) % 1.0
        lightness = (0.38, 0.55, 0.72)[i % 3]
        colours.append(colorsys.hls_to_rgb(hue, lightness, (0.85, 0.6)[(i // 3) % 2]))
    return np.array([(*rgb, 1.0) for rgb in colours], np.float32).reshape(-1, 4)


def shades(colour: np.ndarray, n: int) -> np.ndarray:
    """Return ``n`` RGBA colours that are seen to belong together, ``(n, 4)``.

    ``colour`` comes first, then by turns lighter and darker ones.
    """
    colour = np.asarray(colour, np.float32)
    out = [colour]
    for i in range(1, n):
        share = 0.7 * ((i + 1) // 2) / (n // 2)
        end = np.array([1, 1, 1, 1] if i % 2 else [0, 0, 0, 1], np.float32)
        out.append(colour + np.float32(share) * (end - colour))
    return np.array(out[:n], np.float32).reshape(-1, 4)


def frequent_first(texts: Sequence[str], counts: np.ndarray) -> list[int]:
    """Return the positions of texts that are there, most frequent first, ties by name."""
    ranked = zip((-counts).tolist(), texts, range(len(texts)), strict=False)
    return [at for n, text, at in sorted(ranked) if n and text]


def _hex(code: str) -> tuple[float, float, float]:
    return tuple(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]


def missing_colour() -> np.ndarray:
    """RGBA of points without a value, 0 to 1."""
    return np.array((*_hex(MISSING), 1.0), np.float32)
