"""How a person left the window on a run: ``session.json`` in its folder.

All of it is a convenience: what is damaged, of another version or does not fit is left out,
and never costs the map. Patches are counted as the run counts them.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from napari_patchmap.explore.index_ranges import as_ranges, from_ranges
from napari_patchmap.runs.run import Run
from napari_patchmap.writing import write_json

#: The file in a run folder, and how it is laid out.
SESSION, _VERSION = "session.json", 1

#: Longer texts, and more names, are none that we wrote.
_LONG, _MANY = 10_000, 1_000

T = TypeVar("T")


@dataclass(frozen=True)
class CameraPlace:
    """Where a camera stands.

    Parameters
    ----------
    centre : tuple of float
        (y, x) or (z, y, x), in units of what is looked at.
    zoom : float
        Pixels of the canvas a unit.
    angles : tuple of float
        As napari has them, in degrees.
    """

    centre: tuple[float, ...]
    zoom: float
    angles: tuple[float, ...] = (0.0, 0.0, 90.0)


@dataclass(frozen=True, eq=False)
class SavedSession:
    """What a window on a run shows, and how.

    Parameters
    ----------
    colour_by : str, optional
        Column or annotation that colours the map, "" for one colour; None if unknown.
    hidden : tuple of str
        Groups of that column that are not shown.
    turn : tuple of tuple of float, optional
        Orthogonal matrix by which the map is turned about its centre: it ended its training
        the way up that it had while it formed.
    point_size : float, optional
        In tenths of the size that suits the map.
    selection : ndarray of intp, shape (m,)
        Patches by their number in the run, ascending.
    current : int
        The patch that is looked at by its number in the run, -1 for none.
    view : str
        What the canvas shows: "map" or "source".
    cameras : dict
        Where the camera stands, by view, "beside" being the images on a canvas of their own;
        none where it stands as it does at first.
    compared : tuple of Path
        Folders of the runs whose maps are shown beside this one.
    sorted_by : tuple of (str, str, bool), optional
        Order of the gallery: its kind, its name, and whether the largest comes first.
    panels : tuple of str
        Panels that are open.
    front : tuple of str
        Those of them that are to be seen, not behind another one.
    sizes : dict
        Of panels that are docked, in pixels: the width of those at a side, the height of
        those above or below the canvas.
    floating : dict
        Left, top, width and height on the screen, in pixels, of panels that float.
    window : tuple of int, optional
        Width and height of the window that has room for them.
    thumbnails : int, optional
        Longer side of the pictures in the gallery in pixels.
    on_image : bool, optional
        Whether the colours of the map are on the images, too.
    images : tuple of int
        A patch, by its number in the run, of each image that is open.
    stack : bool
        Whether all patches are open as a stack.
    """

    colour_by: str | None = None
    hidden: tuple[str, ...] = ()
    turn: tuple[tuple[float, ...], ...] | None = None
    point_size: float | None = None
    selection: np.ndarray = field(default_factory=lambda: np.empty(0, np.intp))
    current: int = -1
    view: str = "map"
    cameras: dict[str, CameraPlace] = field(default_factory=dict)
    compared: tuple[Path, ...] = ()
    sorted_by: tuple[str, str, bool] | None = None
    panels: tuple[str, ...] = ()
    front: tuple[str, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)
    floating: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    window: tuple[int, int] | None = None
    thumbnails: int | None = None
    on_image: bool | None = None
    images: tuple[int, ...] = ()
    stack: bool = False


def save_session(folder: Path, session: SavedSession) -> None:
    """Write a session into the folder of its run, as a whole file or not at all.

    A file there that is not ours, damaged or of a newer version is left as it is.

    Raises
    ------
    OSError
        If nothing can be written there.
    """
    path = folder / SESSION
    if path.exists() and _values(path) is None:
        return
    one = session
    values = {
        "version": _VERSION,
        "colour_by": one.colour_by,
        "hidden": list(one.hidden),
        "turn": one.turn,
        "point_size": one.point_size,
        "selection": as_ranges(one.selection),
        "current": one.current,
        "view": one.view,
        "cameras": {
            view: {
                "centre": list(camera.centre),
                "zoom": camera.zoom,
                "angles": list(camera.angles),
            }
            for view, camera in one.cameras.items()
        },
        "compared": [_both_ways(other, folder) for other in one.compared],
        "sorted_by": None if one.sorted_by is None else list(one.sorted_by),
        "panels": list(one.panels),
        "front": list(one.front),
        "sizes": one.sizes,
        "floating": {key: list(place) for key, place in one.floating.items()},
        "window": None if one.window is None else list(one.window),
        "thumbnails": one.thumbnails,
        "on_image": one.on_image,
        "images": list(one.images),
        "stack": one.stack,
    }
    write_json(path, values)


def read_session(run: Run) -> tuple[SavedSession | None, str]:
    """Read how a window on a saved run was left, and say in a sentence if that is impossible.

    Returns
    -------
    SavedSession or None
        None where nothing was saved, or it cannot be read.
    str
        "" when all is well.
    """
    folder = run.folder
    if folder is None or not (folder / SESSION).exists():
        return None, ""
    path, count = folder / SESSION, int(run.numbers.max()) + 1
    values = _values(path)
    if values is None:
        return None, (
            f"{path} cannot be read (it is damaged, or of another version of patchmap), so the "
            "window is not as you left it; remove the file to have that remembered again."
        )
    return (
        SavedSession(
            colour_by=_read(values, "colour_by", _text),
            hidden=_read(values, "hidden", _texts) or (),
            turn=_read(values, "turn", _turn),
            point_size=_read(values, "point_size", _positive),
            selection=_or_none(_read(values, "selection", lambda one: _rows(one, count))),
            current=_number(_read(values, "current", int), count),
            view=_read(values, "view", _text) or "map",
            cameras=_read(values, "cameras", _cameras) or {},
            compared=_read(values, "compared", lambda many: _folders(many, folder)) or (),
            sorted_by=_read(values, "sorted_by", _sorting),
            panels=_read(values, "panels", _texts) or (),
            front=_read(values, "front", _texts) or (),
            sizes=_read(values, "sizes", _sizes) or {},
            floating=_read(values, "floating", _floating) or {},
            window=_read(values, "window", _window),
            thumbnails=_read(values, "thumbnails", _size),
            on_image=_read(values, "on_image", bool),
            images=_read(values, "images", lambda many: _patches(many, count)) or (),
            stack=_read(values, "stack", bool) or False,
        ),
        "",
    )


def _values(path: Path) -> dict[str, Any] | None:
    """Return what a file of ours says, None if it is damaged or of another version."""
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    known = isinstance(values, dict) and values.get("version") == _VERSION
    return values if known else None


def _both_ways(other: Path, folder: Path) -> dict[str, str]:
    """Say where another run lies: on the disk, and from this one, for both may be moved."""
    ways = {"path": str(other)}
    with contextlib.suppress(ValueError):  # it lies on another drive
        ways["from_here"] = Path(os.path.relpath(other, folder)).as_posix()
    return ways


# -- each value by itself: a wrong one is left out --------------------------------------


def _read(values: dict[str, Any], name: str, how: Callable[[Any], T]) -> T | None:
    try:
        return None if values.get(name) is None else how(values[name])
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError):
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONG:
        raise ValueError("no text")
    return value


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(_text(one) for one in list(values)[:_MANY])


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError("no size")
    return number


def _size(value: Any) -> int:
    return round(_positive(value))


def _sizes(values: Any) -> dict[str, int]:
    return {_text(name): _size(one) for name, one in dict(values).items()}


def _floating(values: Any) -> dict[str, tuple[int, int, int, int]]:
    found = {}
    for name, (left, top, width, height) in dict(values).items():
        place = int(left), int(top), _size(width), _size(height)
        if max(map(abs, place)) > _LONG:
            raise ValueError("on no screen")
        found[_text(name)] = place
    return found


def _window(values: Any) -> tuple[int, int]:
    width, height = map(_size, values)
    return width, height


def _patches(values: Any, count: int) -> tuple[int, ...]:
    found = (_number(int(one), count) for one in list(values)[:_MANY])
    return tuple(one for one in found if one >= 0)


def _turn(values: Any) -> tuple[tuple[float, ...], ...]:
    matrix = np.array(values, np.float64)
    if matrix.shape not in ((2, 2), (3, 3)) or not np.allclose(
        matrix @ matrix.T, np.eye(len(matrix)), atol=1e-4
    ):
        raise ValueError("turns nothing")
    return tuple(map(tuple, matrix.tolist()))


def _finite(values: Any, lengths: tuple[int, ...]) -> tuple[float, ...]:
    numbers = tuple(float(one) for one in values)
    if len(numbers) not in lengths or not all(map(math.isfinite, numbers)):
        raise ValueError("no place")
    return numbers


def _cameras(values: Any) -> dict[str, CameraPlace]:
    return {
        _text(view): CameraPlace(
            _finite(one["centre"], (2, 3)), _positive(one["zoom"]), _finite(one["angles"], (3,))
        )
        for view, one in dict(values).items()
    }


def _folders(values: Any, folder: Path) -> tuple[Path, ...]:
    found = []
    for one in list(values)[:_MANY]:
        from_here = one.get("from_here")
        near = None if from_here is None else (folder / _text(from_here)).resolve()
        far = Path(_text(one["path"]))
        found.append(near if near is not None and near.is_dir() else far)
    return tuple(found)


def _sorting(values: Any) -> tuple[str, str, bool]:
    kind, name, down = values
    return _text(kind), _text(name), bool(down)


def _or_none(selection: np.ndarray | None) -> np.ndarray:
    return np.empty(0, np.intp) if selection is None else selection


def _rows(value: object, count: int) -> np.ndarray:
    rows = from_ranges(value)
    if len(rows) and rows[-1] >= count:
        raise ValueError("is of other patches")
    return rows


def _number(value: int | None, count: int) -> int:
    return value if value is not None and 0 <= value < count else -1
