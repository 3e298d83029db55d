"""Which patches, as a short text: ``0-5,9,12-40``."""

from __future__ import annotations

import re

import numpy as np


def as_ranges(indices: np.ndarray) -> str:
    """Write different indices, ascending, as ranges of which both ends belong to it."""
    indices = np.asarray(indices, np.intp)
    if not len(indices):
        return ""
    cut = np.flatnonzero(np.diff(indices) != 1) + 1
    starts, ends = indices[np.r_[0, cut]].tolist(), indices[np.r_[cut - 1, -1]].tolist()
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def from_ranges(text: object, count: int) -> np.ndarray:
    """Read what :func:`as_ranges` wrote.

    Parameters
    ----------
    text : str
    count : int
        All indices are below it.

    Returns
    -------
    ndarray of intp, shape (m,)
        Each once, ascending.

    Raises
    ------
    ValueError
        If it is something else; the message goes on from what has these indices.
    """
    if text == "":
        return np.empty(0, np.intp)
    if not isinstance(text, str) or not re.fullmatch(r"[\d,\s-]+", text, re.ASCII):
        raise ValueError("is damaged")
    try:
        pairs = [part.partition("-") for part in text.split(",")]
        starts = np.array([int(a) for a, _, _ in pairs])
        ends = np.array([int(b or a) for a, _, b in pairs])
    except (ValueError, OverflowError):
        raise ValueError("is damaged") from None
    if starts.dtype == object or ends.dtype == object or ends.max() >= count:
        raise ValueError(f"has patches that are not among these {count:,}")
    inside = np.zeros(count + 1, np.int64)
    np.add.at(inside, starts, 1)
    np.add.at(inside, ends + 1, -1)
    if (starts > ends).any():
        raise ValueError("is damaged")
    return np.flatnonzero(np.cumsum(inside[:-1]) > 0)
