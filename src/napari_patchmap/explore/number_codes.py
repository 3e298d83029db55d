"""Which code each number of a label image stands for, for whole pictures at once."""

from __future__ import annotations

import numpy as np

#: Numbers up to here have a table of their codes, which a processor's cache holds in part.
_TABLE = 2**24

#: Pixels that are looked up at once, so that what is needed for it stays small.
_PIXELS = 2**20


class NumberCodes:
    """Looks up a small code for each pixel of a label image.

    Parameters
    ----------
    numbers : ndarray of int, shape (n,)
        Numbers of objects, no two alike, none negative.
    codes : ndarray of int, shape (n,)
        The code of each, 0 or more. All other numbers have the code 0.

    Examples
    --------
    >>> import numpy as np
    >>> NumberCodes(np.array([7, 5]), np.array([1, 2])).of(np.array([[0, 5], [7, 9]]))
    array([[0, 2],
           [1, 0]], dtype=uint8)
    """

    def __init__(self, numbers: np.ndarray, codes: np.ndarray) -> None:
        most = int(codes.max()) if len(codes) else 0
        self.dtype = np.min_scalar_type(most)
        codes = codes.astype(self.dtype)
        last = int(numbers.max()) if len(numbers) else 0
        self._table: np.ndarray | None = None
        if last < _TABLE:
            # One more than the last number, for all numbers that are larger.
            self._table = np.zeros(last + 2, self.dtype)
            self._table[numbers] = codes
        else:
            order = np.argsort(numbers)
            self._numbers, self._codes = numbers[order].astype(np.int64), codes[order]

    def of(self, labels: np.ndarray) -> np.ndarray:
        """Return the code of each pixel, in the shape of ``labels``, of type ``dtype``."""
        flat = np.ravel(labels)
        out = np.empty(flat.size, self.dtype)
        for start in range(0, flat.size, _PIXELS):
            part = flat[start : start + _PIXELS]
            self._look_up(part, out[start : start + _PIXELS])
        return out.reshape(np.shape(labels))

    def _look_up(self, part: np.ndarray, out: np.ndarray) -> None:
        if self._table is not None:
            if part.dtype.kind == "u" and part.dtype.itemsize == 8:
                part = np.minimum(part, len(self._table) - 1)
            np.take(self._table, part.astype(np.intp, copy=False), out=out, mode="clip")
            return
        # Runs of one number are looked up, which are far fewer than pixels.
        starts = np.flatnonzero(np.concatenate([[True], part[1:] != part[:-1]]))
        numbers = part[starts].astype(np.int64)
        found = np.searchsorted(self._numbers, numbers).clip(max=len(self._numbers) - 1)
        known = np.where(self._numbers[found] == numbers, self._codes[found], 0)
        out[:] = np.repeat(known.astype(self.dtype), np.diff(starts, append=len(part)))
