"""One palette for map, legend, gallery frames and figures."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
import pandas as pd

#: Okabe and Ito's colour-blind-safe colours (without black), then Paul Tol's
#: "muted" ones that stay apart from them: 12 colours for the usual case.
_SAFE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00",
    "#F0E442", "#882255", "#44AA99", "#332288", "#999933", "#AA4499",
)  # fmt: skip

#: Colour of points without a label.
MISSING = "#8A8A8A"


def categorical_colours(n: int) -> np.ndarray:
    """Return ``n`` colours that stay apart, for colour-blind people too.

    The first 12 are a fixed safe set; beyond it hue and lightness step together,
    so that neighbours in the list differ in lightness as well.

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


def label_order(labels: Sequence[str] | np.ndarray) -> list[str]:
    """Order in which labels get their colours: most frequent first, ties by name."""
    counts = pd.Series(np.asarray(labels, dtype=object)).astype(str).value_counts()
    named = [(-n, str(name)) for name, n in counts.items() if name != ""]
    return [name for _, name in sorted(named)]


def _hex(code: str) -> tuple[float, float, float]:
    return tuple(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]


def missing_colour() -> np.ndarray:
    """RGBA of points without a value, 0 to 1."""
    return np.array((*_hex(MISSING), 1.0), np.float32)
