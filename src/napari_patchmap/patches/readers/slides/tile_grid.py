"""Where the tiles of a slide lie, at the resolution that is wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.readers.slides.pyramid import Pyramid
from napari_patchmap.patches.tile_config import TileConfig

#: Resolutions that differ by less are the same.
_SAME = 0.02

#: A grid of more tiles than this is a slip of the finger.
_MOST_CANDIDATES = 5_000_000


@dataclass(frozen=True)
class Sampling:
    """How tiles of the wanted resolution are read from the levels of a slide.

    Parameters
    ----------
    level : int
        The level that is read: the smallest that is fine enough.
    downsample : float
        Level-0 pixels that one pixel of a tile spans.
    factor : float
        Pixels of that level that one pixel of a tile spans; 1 needs no resizing.
    """

    level: int
    downsample: float
    factor: float

    def box(self, size: int) -> int:
        """Return the side in level-0 pixels of a tile of ``size`` pixels."""
        return max(1, round(size * self.downsample))


def sampling(
    slide: Pyramid, mpp: float | None = None, magnification: float | None = None
) -> Sampling:
    """Choose the level from which tiles of the wanted resolution are read.

    Parameters
    ----------
    slide : Pyramid
    mpp : float, optional
        Micrometres that a pixel of the tiles is to span.
    magnification : float, optional
        Of the tiles; without both they have the pixels of the slide.

    Raises
    ------
    UnusableError
        If the slide does not say its resolution, or is coarser than what is wanted.
    """
    downsample = 1.0
    if mpp is not None:
        if slide.mpp is None:
            raise _unknown("how many micrometres a pixel spans")
        downsample = mpp / slide.mpp
        has, wanted = f"{slide.mpp:.3g} µm", f"{mpp:.3g} µm"
    elif magnification is not None:
        if slide.magnification is None:
            raise _unknown("its magnification")
        downsample = slide.magnification / magnification
        has, wanted = f"{slide.magnification:.3g}x", f"{magnification:.3g}x"
    if downsample < 1 - _SAME:
        if mpp is not None:
            raise UnusableError(
                f"has {has} per pixel, coarser than the {wanted} wanted",
                f"choose {has} or more, or leave the resolution open to take its own pixels",
            )
        raise UnusableError(
            f"was scanned at {has}, less than the {wanted} wanted",
            f"choose {has} at most, or leave the magnification open to take its own pixels",
        )
    level = max(
        i for i, one in enumerate(slide.levels) if one.downsample <= downsample * (1 + _SAME)
    )
    factor = downsample / slide.levels[level].downsample
    if abs(factor - 1) <= _SAME:
        downsample, factor = slide.levels[level].downsample, 1.0
    return Sampling(level, downsample, factor)


def _unknown(what: str) -> UnusableError:
    return UnusableError(
        f"does not say {what}",
        "leave the resolution open (no micrometres per pixel and no magnification) to cut "
        "tiles at its own pixels",
    )


def grid(slide: Pyramid, config: TileConfig, how: Sampling) -> pd.DataFrame:
    """Lay whole tiles over the slide, from its upper left corner on."""
    stride = (config.stride or config.size) * how.downsample
    height, width = slide.shape
    box = how.box(config.size)
    if min(height, width) < box:
        raise UnusableError(
            f"is smaller ({width:,} x {height:,} pixels) than one tile ({box:,} x "
            f"{box:,} of its pixels)",
            "choose smaller tiles or a finer resolution",
        )
    ends = height - box, width - box
    rows, columns = (int(end / stride + 1e-6) + 1 for end in ends)
    if rows * columns > _MOST_CANDIDATES:
        raise UnusableError(
            f"would be cut into {rows * columns:,} tiles, more than {_MOST_CANDIDATES:,}",
            "choose larger tiles or a larger stride",
        )
    y = np.minimum(np.rint(np.arange(rows) * stride), ends[0]).astype(np.int64)
    x = np.minimum(np.rint(np.arange(columns) * stride), ends[1]).astype(np.int64)
    return pd.DataFrame(
        {
            "y": np.repeat(y, columns),
            "x": np.tile(x, rows),
            "height": box,
            "width": box,
        }
    )
