"""The values of a session as they are read: what is none that we wrote is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.explore.index_ranges import from_ranges

#: Longer texts, and more names, are none that we wrote.
_LONG, _MANY = 10_000, 1_000

#: What these functions raise of a value that is none of ours.
WRONG = (ValueError, TypeError, KeyError, OverflowError, AttributeError)


def text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str) or len(value) > _LONG:
        raise ValueError("no text")
    return value


def texts(values: Any) -> tuple[str, ...]:
    """Read some texts."""
    return tuple(text(one) for one in list(values)[:_MANY])


def positive(value: Any) -> float:
    """Read a number above zero."""
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError("no size")
    return number


def size(value: Any) -> int:
    """Read a size in pixels."""
    return round(positive(value))


def sizes(values: Any) -> dict[str, int]:
    """Read sizes by their names."""
    return {text(name): size(one) for name, one in dict(values).items()}


def window(values: Any) -> tuple[int, int]:
    """Read the width and the height of a window."""
    width, height = map(size, values)
    return width, height


def floating(values: Any) -> dict[str, tuple[int, int, int, int]]:
    """Read left, top, width and height on a screen, by the names of what lies there."""
    found = {}
    for name, (left, top, width, height) in dict(values).items():
        place = int(left), int(top), size(width), size(height)
        if max(map(abs, place)) > _LONG:
            raise ValueError("on no screen")
        found[text(name)] = place
    return found


def turn(values: Any) -> tuple[tuple[float, ...], ...]:
    """Read an orthogonal matrix of the plane or of space."""
    matrix = np.array(values, np.float64)
    if matrix.shape not in ((2, 2), (3, 3)) or not np.allclose(
        matrix @ matrix.T, np.eye(len(matrix)), atol=1e-4
    ):
        raise ValueError("turns nothing")
    return tuple(map(tuple, matrix.tolist()))


def finite(values: Any, lengths: tuple[int, ...]) -> tuple[float, ...]:
    """Read finite numbers, as many as one of ``lengths`` says."""
    numbers = tuple(float(one) for one in values)
    if len(numbers) not in lengths or not all(map(math.isfinite, numbers)):
        raise ValueError("no place")
    return numbers


def folders(values: Any, beside: Path) -> tuple[Path, ...]:
    """Read folders as they lie seen from one, or else on the disk."""
    found = []
    for one in list(values)[:_MANY]:
        from_here = one.get("from_here")
        near = None if from_here is None else (beside / text(from_here)).resolve()
        far = Path(text(one["path"]))
        found.append(near if near is not None and near.is_dir() else far)
    return tuple(found)


def sorting(values: Any) -> tuple[str, str, bool]:
    """Read an order: its kind, its name, and whether it descends."""
    kind, name, down = values
    return text(kind), text(name), bool(down)


def rows(value: object, count: int) -> np.ndarray:
    """Read which of ``count`` patches are meant, (m,), ascending."""
    found = from_ranges(value)
    if len(found) and found[-1] >= count:
        raise ValueError("is of other patches")
    return found


def patch(value: Any, count: int) -> int:
    """Read which of ``count`` patches is meant, -1 for none of them."""
    number = int(value)
    return number if 0 <= number < count else -1


def patches(values: Any, count: int) -> tuple[int, ...]:
    """Read which of ``count`` patches are meant, in their order."""
    found = (patch(one, count) for one in list(values)[:_MANY])
    return tuple(one for one in found if one >= 0)
