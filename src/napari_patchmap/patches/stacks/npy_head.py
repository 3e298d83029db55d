"""The head of an .npy file or of an array in an .npz file, without the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.lib import format as npy


class NotNumpyError(ValueError):
    """What is read does not begin as a NumPy array does."""


@dataclass(frozen=True)
class Head:
    """What an array is, and how many bytes after the file's beginning its values begin."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype
    offset: int


def read_head(stream: IO[bytes]) -> Head:
    """Read the head; the stream then stands at the first value.

    Raises
    ------
    NotNumpyError
        If it is no array.
    ValueError, EOFError
        If the head is damaged.
    """
    start = stream.read(npy.MAGIC_LEN)
    if not start.startswith(npy.MAGIC_PREFIX):
        raise NotNumpyError("is not a NumPy array")
    if len(start) < npy.MAGIC_LEN:
        raise EOFError("it ends in its head")
    if start[-2] == 1:
        shape, fortran, dtype = npy.read_array_header_1_0(stream)
    elif start[-2] == 2:
        shape, fortran, dtype = npy.read_array_header_2_0(stream)
    else:
        # Version 3 is written for fields with names, which are no pixels.
        raise ValueError("it holds a table, not pixels")
    return Head(shape, fortran, dtype, stream.tell())
