"""Arrays beside the images of a file: which hold the images, and which become columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_patchmap.errors import PatchError, UnclearArrayError
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.labels.values import as_text
from napari_patchmap.patches.source import Source

_LABELS = ("label", "labels")

#: Bytes a patch of a column at most, and bytes of the names of classes: what is larger is
#: neither, and is not unpacked.
_WIDEST, MOST_NAMES = 2**14, 2**26

#: Arrays that are named to a person who has to choose one.
_LISTED = 4


class Unread(NamedTuple):
    """The shape of an array that is no column, so that it was not read."""

    shape: tuple[int, ...]


def texts(values: Any) -> list[str]:
    """Return names that a store keeps as bytes or text, as text."""
    return [
        one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
        for one in np.ravel(values).tolist()
    ]


def is_column(key: str, shape: tuple[int, ...], itemsize: int, count: int) -> bool:
    """Whether an array has one value a patch, or some labels, so that it is worth reading."""
    if not shape or shape[0] != count or math.prod(shape[1:]) * itemsize > _WIDEST:
        return False
    return len(shape) == 1 or (len(shape) == 2 and (shape[1] == 1 or key in _LABELS))


def images_key(arrays: Mapping[str, Any], path: Path, wanted: str | None = None) -> str:
    """Return which of some arrays, or whatever has a shape, holds the images.

    ``wanted`` is what a person said.

    Raises
    ------
    UnclearArrayError
        If that is not clear, or there is no such array.
    """
    stacks = [key for key, array in arrays.items() if len(array.shape) >= 3]
    if wanted is not None:
        if wanted in arrays:
            return wanted
        known = ", ".join([*stacks[:_LISTED]]) or ", ".join([*arrays][:_LISTED]) or "nothing"
        raise UnclearArrayError(
            f"{path} has no array {wanted!r}; choose among {known} (--key).", stacks[:_LISTED]
        )
    if "images" in arrays:
        return "images"
    if len(stacks) == 1:
        return stacks[0]
    if not stacks and arrays:
        shapes = [f"{key} {array.shape}" for key, array in list(arrays.items())[:_LISTED]]
        raise PatchError(
            f"{path} holds no images: none of its arrays has three axes or more (it has "
            f"{', '.join(shapes)}); choose the file that holds the images."
        )
    listed = ", ".join(f"{key} {array.shape}" for key, array in list(arrays.items())[:_LISTED])
    raise UnclearArrayError(
        f"{path} does not say which array holds the images (it has {listed or 'nothing'}); "
        "choose one (--key), or call it 'images'.",
        stacks[:_LISTED],
    )


def add_columns(
    source: Source,
    columns: Mapping[str, np.ndarray | Unread],
    class_names: np.ndarray | None,
    path: str,
    kind: str = "npz",
) -> None:
    """Add labels and columns to the table; what is not one value a patch is noted.

    ``class_names`` says what labels that are whole numbers stand for, ``path`` what people call
    the file; ``kind`` is put after the name of a column that the table has already.

    Raises
    ------
    PatchError
        If the labels do not fit.
    """
    count = len(source.table)
    unused = []
    for key in sorted(columns):
        values = columns[key]
        if values.shape[1:] == (1,):
            one = values.shape[:1]
            values = Unread(one) if isinstance(values, Unread) else values.reshape(one)
        if key in _LABELS and len(values.shape) <= 1 and values.shape != (count,):
            raise PatchError(
                f"{path} has {math.prod(values.shape):,} labels for {count:,} images; they "
                "must be as many."
            )
        if isinstance(values, Unread):
            unused.append(key)
        elif key in _LABELS and values.ndim == 1:
            source.table["label"] = _named(values, class_names, path)
            source.label_from = key if key != "label" else ""
        elif key == "labels" and values.ndim == 2 and len(values) == count:
            for k in range(values.shape[1]):
                source.table[f"label {k}"] = values[:, k]
            source.notes.append(f"Each patch has {values.shape[1]} labels; each is a column.")
        elif values.shape == (count,):
            free = f"{key} ({kind})" if key in (*BOX_COLUMNS, "label") else key
            source.table[free] = values.astype(str) if values.dtype.kind in "SU" else values
        else:
            unused.append(key)
    if unused:
        source.notes.append(f"Not one value a patch, so not used: {', '.join(unused)}.")
    if "files" in source.table:
        source.names = source.table["files"].astype(str).tolist()


def _named(labels: np.ndarray, class_names: np.ndarray | None, path: str) -> np.ndarray:
    if class_names is None or labels.dtype.kind not in "iu" or not labels.size:
        return as_text(labels)
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise PatchError(
            f"{path} has labels from {labels.min()} to {labels.max()} but {len(class_names)} "
            "class_names; give one name a class."
        )
    return as_text(class_names[labels])
