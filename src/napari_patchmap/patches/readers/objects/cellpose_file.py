"""Cellpose's ``_seg.npy``: a pickle, of which numbers are read and nothing is run.

NumPy writes the results of Cellpose (a dict of arrays, lists and settings) as a pickle, which
could name any function of any library to be called while it is read. Here no name is looked
up: the few by which NumPy writes arrays mean small functions of our own, which take bytes as
numbers, and any other name ends the reading. Opcodes that make objects in other ways are
not known at all.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.readers.npy import read_head
from napari_patchmap.patches.room import check_room

#: What else a person can do.
_REMEDY = (
    "save its masks as an image instead: in Cellpose's window File > Save masks as PNG/tif, on "
    "its command line --save_tif"
)

#: What makes objects by names: only GLOBAL, STACK_GLOBAL and REDUCE are needed for arrays.
_FORBIDDEN = (
    pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.EXT1, pickle.EXT2,
    pickle.EXT4, pickle.PERSID, pickle.BINPERSID, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
)  # fmt: skip

#: Folders and settings that are kept as objects; what they are does not matter here.
_PATHS = ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")


class _Dtype:
    """A type of numbers while it is read; ``(code, align, copy)`` as pickles call it."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or len(code) > 16:
            raise UnusableError("holds a type of numbers that is none", _REMEDY)
        self.code = code
        self.order: Literal["<", ">"] = "<"

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or any(state[2:5]):
            raise UnusableError("holds a table, not plain numbers", _REMEDY)
        self.order = ">" if state[1] == ">" else "<"

    @property
    def known(self) -> np.dtype:
        found = np.dtype(self.code).newbyteorder(self.order)
        if found.kind not in "buifcUSO" or found.names is not None:
            raise UnusableError(f"holds values of type {found}", _REMEDY)
        return found


class _Array:
    """An array while it is read."""

    __slots__ = ("values",)

    def __init__(self, *_: Any) -> None:
        self.values: Any = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        known = dtype.known
        if known.hasobject:
            self.values = data if isinstance(data, list) else [data]
            return
        if isinstance(data, str):
            data = data.encode("latin-1")
        if math.prod(shape) * known.itemsize != len(data):
            raise UnusableError("is damaged: an array is not as long as it should be", _REMEDY)
        flat = np.frombuffer(data, known)
        self.values = flat.reshape(shape, order="F" if fortran else "C")


def _encoded(text: Any, *_: Any) -> bytes:
    """Return bytes that an old pickle has written as text."""
    return str(text).encode("latin-1")


class _Means:
    """What a name of a pickle means here; nothing can be set on it."""

    __slots__ = ("_make",)
    _make: Callable[..., Any]

    def __init__(self, make: Callable[..., Any]) -> None:
        object.__setattr__(self, "_make", make)

    def __call__(self, *args: Any) -> Any:
        return self._make(*args)

    def __setattr__(self, name: str, value: Any) -> None:
        raise pickle.UnpicklingError("a function is no value")

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a function is no value")


class _Ignored:
    """Stands for an object that is not made."""

    __slots__ = ()

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


_NUMPY: dict[str, Callable[..., Any]] = {
    "_reconstruct": _Array, "ndarray": _Array, "dtype": _Dtype, "scalar": _Ignored,
}  # fmt: skip
_MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")


class _NumbersOnly(pickle._Unpickler):
    """Reads a pickle without running it; Python's own C one could not leave out opcodes."""

    dispatch: ClassVar[dict[int, Any]] = {
        code: step
        for code, step in pickle._Unpickler.dispatch.items()
        if code not in {op[0] for op in _FORBIDDEN}
    }

    def find_class(self, module: str, name: str) -> Any:
        if module in _MODULES and name in _NUMPY:
            return _Means(_NUMPY[name])
        if (module, name) == ("_codecs", "encode"):
            return _Means(_encoded)
        if module.split(".")[0] == "pathlib" and name in _PATHS:
            return _Means(_Ignored)
        raise UnusableError(
            f"names {module}.{name}, which is no array and could run code, so it is not loaded",
            _REMEDY,
        )


def cellpose_masks(path: Path) -> np.ndarray:
    """Read the masks of a ``_seg.npy`` file, one number an object.

    Returns
    -------
    ndarray of whole numbers, ``(height, width)`` or ``(plane, height, width)``

    Raises
    ------
    UnusableError
        If the file names anything but arrays, is damaged, or has no masks.
    PatchError
        If the memory does not take it.
    """
    check_room(2 * path.stat().st_size, str(path), _REMEDY)
    with path.open("rb") as stream:
        head = read_head(stream)
        if not head.dtype.hasobject or head.shape != ():
            raise UnusableError("is an array, not a file of Cellpose's", "open it as an image")
        content = io.BytesIO(stream.read())
    try:
        found = _NumbersOnly(content).load()
    except UnusableError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged or hostile pickle raises anything
        raise UnusableError(
            f"is damaged, or holds more than arrays ({type(error).__name__})", _REMEDY
        ) from None
    values = found.values if isinstance(found, _Array) else None
    known = values[0] if isinstance(values, list) and values else None
    masks = known.get("masks") if isinstance(known, dict) else None
    if not isinstance(masks, _Array) or not isinstance(masks.values, np.ndarray):
        raise UnusableError("holds no masks", "segment the image with Cellpose first")
    return masks.values.astype(masks.values.dtype.newbyteorder("="), copy=False)
