"""The colours of the patches as a few, for painting them on the images they come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.palette import missing_colour

#: The first rows of every palette: objects that are no patch, what is hidden (and what lies
#: between objects), and patches without a class.
UNKNOWN, HIDDEN, WITHOUT = range(3)

#: How much of the grey of a patch without a class is put on the image, and of what is none.
_WITHOUT_OPACITY, _UNKNOWN_OPACITY = 0.45, 0.2


@dataclass(frozen=True, eq=False)
class PatchColours:
    """A colour a patch, of a palette that begins with those for other pixels.

    Attributes
    ----------
    palette : ndarray of float32, shape (k, 4)
        RGBA, 0 to 1, no two rows for the same group.
    codes : ndarray of int, shape (n,)
        Row of the palette of each patch.
    """

    palette: np.ndarray
    codes: np.ndarray


@dataclass(frozen=True, eq=False)
class PatchClasses:
    """The classes of the patches as the values of an image.

    Attributes
    ----------
    column : str
        What they are called together.
    names : tuple of str
        Name of value 1, 2 and so on.
    palette : ndarray of float32, shape (len(names), 4)
        RGBA of each, 0 to 1.
    values : ndarray of int, shape (n,)
        Value of each patch, 0 for those without a class.
    """

    column: str
    names: tuple[str, ...]
    palette: np.ndarray
    values: np.ndarray


def patch_colours(colouring: Colouring, hidden: np.ndarray | None = None) -> PatchColours:
    """Return the colours of a map for the images of its patches.

    Patches without a class keep a breath of grey, so that what there is can be seen; where
    the map shows no point there is no colour either.

    Parameters
    ----------
    colouring : Colouring
    hidden : ndarray of bool, shape (n,), optional
        Which points the map does not show; none of them if not given.
    """
    if colouring.names:
        palette, values = _classes(colouring)
        codes = (WITHOUT + values).astype(np.uint16)
    else:
        palette, few = _few(colouring.colours)
        codes = (WITHOUT + 1 + few).astype(np.uint16)
    if hidden is not None:
        codes[hidden] = HIDDEN
    first = np.tile(missing_colour(), (3, 1))
    first[[UNKNOWN, HIDDEN, WITHOUT], 3] = _UNKNOWN_OPACITY, 0, _WITHOUT_OPACITY
    return PatchColours(np.concatenate([first, palette]), codes)


def patch_classes(colouring: Colouring) -> PatchClasses | None:
    """Return the classes that colour a map, None where it is coloured by a number or by none.

    Classes keep the order of the legend.
    """
    if not colouring.names:
        return None
    palette, values = _classes(colouring)
    names = colouring.names[: len(palette)]
    return PatchClasses(colouring.column, names, palette, values)


def _classes(colouring: Colouring) -> tuple[np.ndarray, np.ndarray]:
    """Return the colours of the groups with a name, and 1 + group or 0 of each patch."""
    count = len(colouring.names) - colouring.missing
    values = np.arange(1, len(colouring.names) + 1, dtype=np.uint16)
    values[count:] = 0
    return colouring.palette[:count], values[colouring.codes]


def _few(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different colours, and which of them each patch has."""
    bits = np.ascontiguousarray((colours * 255).round().astype(np.uint8)).view(np.uint32)
    _, first, codes = np.unique(bits.ravel(), return_index=True, return_inverse=True)
    return colours[first], codes
