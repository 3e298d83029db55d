"""How a person left the window on a run: ``session.json`` in its folder.

All of it is a convenience: what is damaged, of another version or does not fit is left out,
and never costs the map. Patches are counted as the run counts them.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.explore.index_ranges import as_ranges
from napari_patchmap.runs import session_values as read
from napari_patchmap.runs.run import Run
from napari_patchmap.writing import write_json

#: The file in a run folder, and how it is laid out.
SESSION, _VERSION = "session.json", 1


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
    values = {
        "version": _VERSION,
        **vars(session),
        "selection": as_ranges(session.selection),
        "cameras": {view: vars(camera) for view, camera in session.cameras.items()},
        "compared": [_both_ways(other, folder) for other in session.compared],
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
    known = {}
    for name, how in _readers(folder, count).items():
        # Each value by itself: a wrong one is left out.
        with contextlib.suppress(*read.WRONG):
            if values.get(name) is not None:
                known[name] = how(values[name])
    return SavedSession(**known), ""


def _readers(folder: Path, count: int) -> dict[str, Callable[[Any], Any]]:
    """Say how each value is read of a session with a run of ``count`` patches in a folder."""
    return {
        "colour_by": read.text,
        "hidden": read.texts,
        "turn": read.turn,
        "point_size": read.positive,
        "selection": partial(read.rows, count=count),
        "current": partial(read.patch, count=count),
        "view": read.text,
        "cameras": _cameras,
        "compared": partial(read.folders, beside=folder),
        "sorted_by": read.sorting,
        "panels": read.texts,
        "front": read.texts,
        "sizes": read.sizes,
        "floating": read.floating,
        "window": read.window,
        "thumbnails": read.size,
        "on_image": bool,
        "images": partial(read.patches, count=count),
        "stack": bool,
    }


def _cameras(values: Any) -> dict[str, CameraPlace]:
    return {
        read.text(view): CameraPlace(
            read.finite(one["centre"], (2, 3)),
            read.positive(one["zoom"]),
            read.finite(one["angles"], (3,)),
        )
        for view, one in dict(values).items()
    }


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
