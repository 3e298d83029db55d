"""Very many texts in the order in which people count, without holding up a window.

Python's own sort of a million keys lets no other thread run for seconds. Numpy's does, so the
keys are written as bytes that compare as :func:`natural_key` does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from napari_patchmap.patches.names import natural_key

#: Fewer texts than this are sorted by Python's own sort.
_FEW = 2_000

#: Bytes that the keys may take, and the longest number as a text.
_ROOM, _DIGITS = 2**28, 100

_NUMBER = re.compile("0*([0-9]+)")
_LOW = re.compile("[\0\1]")


def natural_order(texts: Sequence[str]) -> np.ndarray:
    """Return the positions of texts, no two of them alike, sorted by :func:`natural_key`.

    Returns
    -------
    ndarray of intp, shape (n,)
    """
    keys = [_key(text) for text in texts] if len(texts) >= _FEW else [None]
    if None in keys or len(keys) * max(map(len, keys)) > _ROOM:  # type: ignore[arg-type]
        slowly = sorted(range(len(texts)), key=lambda at: natural_key(texts[at]))
        return np.array(slowly, np.intp)
    array = np.array(keys, bytes)
    del keys
    order = np.argsort(array, kind="stable")
    array = array[order]
    # Those that differ in large letters or leading zeros alone: few, so Python may do it.
    same = np.flatnonzero(array[1:] == array[:-1])
    for group in np.split(same, np.flatnonzero(np.diff(same) > 1) + 1) if len(same) else ():
        part = slice(group[0], group[-1] + 2)
        order[part] = sorted(order[part].tolist(), key=lambda at: natural_key(texts[at]))
    return order


def _key(text: str) -> bytes | None:
    """Return bytes that compare as the natural key does, None if there are none."""
    if _LOW.search(text):
        return None  # these two bytes mean something here
    try:
        key = _NUMBER.sub(_counted, text.casefold()).replace("/", "\1")
    except OverflowError:
        return None
    return key.encode("utf-8", "surrogatepass")


def _counted(match: re.Match[str]) -> str:
    """Write a number so that one of more digits comes later, and any before a letter."""
    digits = match[1]
    if len(digits) > _DIGITS:
        raise OverflowError
    return f"\0{chr(len(digits) + 1)}{digits}"
