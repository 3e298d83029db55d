"""Which patches, as a short text: ``0-5,9,12-40``."""

from __future__ import annotations

import re

import numpy as np

#: More patches than any set has.
_MOST = 2**28


def as_ranges(indices: np.ndarray) -> str:
    """Write different indices, ascending, as ranges of which both ends belong to it."""
    indices = np.asarray(indices, np.intp)
    if not len(indices):
        return ""
    cut = np.flatnonzero(np.diff(indices) != 1) + 1
    starts, ends = indices[np.r_[0, cut]].tolist(), indices[np.r_[cut - 1, -1]].tolist()
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def from_ranges(text: object) -> np.ndarray:
    """Read what :func:`as_ranges` wrote.

    Returns
    -------
    ndarray of intp, shape (m,)
        Each once, ascending.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if text == "":
        return np.empty(0, np.intp)
    if not isinstance(text, str) or not re.fullmatch(r"[\d,\s-]+", text, re.ASCII):
        raise ValueError("is damaged")
    try:
        pairs = [part.partition("-") for part in text.split(",")]
        starts = np.array([int(a) for a, _, _ in pairs], np.int64)
        ends = np.array([int(b or a) for a, _, b in pairs], np.int64)
    except (ValueError, OverflowError):
        raise ValueError("is damaged") from None
    lengths = ends - starts + 1
    if (lengths < 1).any() or lengths.sum(dtype=float) > _MOST:
        raise ValueError("is damaged")
    before = np.cumsum(lengths) - lengths
    every = np.repeat(starts - before, lengths) + np.arange(lengths.sum())
    return np.unique(every).astype(np.intp)
