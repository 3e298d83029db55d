"""Which stored numbers are pixels, and of which type."""

from __future__ import annotations

import numpy as np

from napari_patchmap.errors import UnusableError


def pixel_type(stored: np.dtype) -> np.dtype:
    """Return the type that patches have of what is stored: truth values become 8-bit grey."""
    stored = np.dtype(stored)
    return np.dtype(np.uint8) if stored.kind == "b" else stored.newbyteorder("=")


def as_pixels(stored: np.ndarray) -> np.ndarray:
    """Return what is stored as pixels: truth values become black and white, 0 and 255."""
    return np.where(stored, np.uint8(255), np.uint8(0)) if stored.dtype.kind == "b" else stored


def check_numbers(dtype: np.dtype, size: int) -> None:
    """Say so if values of this type are no pixels, or there are none.

    Raises
    ------
    UnusableError
    """
    if dtype.hasobject:
        raise UnusableError(
            "holds Python objects, which are not loaded because they can run code",
            "save the patches as one plain array of numbers",
        )
    if dtype.kind not in "buif":
        raise UnusableError(
            f"holds values of type {dtype}, not pixels",
            "save images as whole or floating-point numbers",
        )
    if size == 0:
        raise UnusableError("holds no images", "choose another file")


def whole_numbers(values: np.ndarray) -> np.ndarray:
    """Return labels that were stored as floating-point numbers as the whole numbers they are.

    Raises
    ------
    UnusableError
        If one of them is no whole number.
    """
    if values.dtype.kind != "f":
        return values
    whole = values.astype(np.int64) if np.isfinite(values).all() else None
    if whole is None or (whole != values).any():
        raise UnusableError(
            f"holds numbers with a decimal point ({values.dtype}), not labels",
            "convert it to whole numbers first, for example to int32",
        )
    return whole
