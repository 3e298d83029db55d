"""QuPath's GeoJSON: cells, detections and annotations with classes and measurements."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.readers.objects.drawn_objects import Outline, twice_area
from napari_patchmap.patches.readers.objects.json_features import json_features
from napari_patchmap.patches.room import check_room

_REMEDY = "export the objects again: in QuPath File > Export objects as GeoJSON"

#: What QuPath calls objects that are single things; annotations are regions around them.
_THINGS = ("cell", "detection", "tile")

#: How QuPath 0.2 said the same, in place of an id.
_OLD_KINDS = {f"Path{kind.capitalize()}Object": kind for kind in (*_THINGS, "annotation")}

#: What is known of objects takes at most so many times the bytes of the text.
_GROWS = 2


def qupath_outlines(path: Path) -> tuple[list[Outline], list[str]]:
    """Read the objects of a GeoJSON file.

    Cells and detections if there are any, else annotations; of these outlines if there are
    any, else points. Lines are left out. ``classification`` is the name of the class,
    ``object`` its id.

    Returns
    -------
    outlines : list of Outline
        All of them outlines, or all of them points.
    notes : list of str
        What was left out.

    Raises
    ------
    UnusableError
        If it is no GeoJSON, holds neither, or lies on several planes.
    PatchError
        If the memory does not take it.
    """
    check_room(_GROWS * path.stat().st_size, str(path), _REMEDY)
    #: Things or regions, outlines or points: what comes first is taken.
    kinds: dict[tuple[bool, bool], list[Outline]] = {
        (things, outlined): [] for things in (True, False) for outlined in (True, False)
    }
    lines, planes = 0, set[tuple[str, str]]()
    for feature in json_features(path, _REMEDY):
        properties = feature.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        rings, places = _rings(feature.get("geometry")), _points(feature.get("geometry"))
        lines += not rings and not places
        values = _values(feature, properties)
        kind = str(properties.get("objectType", properties.get("object_type", ""))).lower()
        kind = kind or _OLD_KINDS.get(str(feature.get("id")), "")
        if rings or places:
            planes.add(_plane(feature["geometry"]))
        if rings:
            kinds[kind in _THINGS, True].append(Outline(rings, values))
        kinds[kind in _THINGS, False] += [Outline([place], values) for place in places]
    taken = next((kind for kind, found in kinds.items() if found), None)
    if taken is None:
        raise UnusableError("holds no object that encloses anything, and no point", _REMEDY)
    if len(planes) > 1:
        raise UnusableError(
            "has objects on several planes of a stack", "export those of each plane alone"
        )
    things, outlined = taken
    notes = []
    if lines:
        notes.append(f"{lines:,} lines of {path.name} were left out.")
    points = len(kinds[True, False]) + len(kinds[False, False]) if outlined else 0
    if points:
        notes.append(
            f"{points:,} points of {path.name} were left out, because it has outlines; save "
            "the points alone to cut crops around them."
        )
    regions = len(kinds[False, True]) if things else 0
    regions += len(kinds[False, False]) if things and not outlined else 0
    if regions:
        notes.append(
            f"{regions:,} annotations of {path.name} were left out, because it has cells or "
            "detections."
        )
    return kinds[taken], notes


def _plane(geometry: Mapping[str, Any]) -> tuple[str, str]:
    """Return time and depth, which QuPath leaves out where both are 0."""
    plane = geometry.get("plane")
    known = plane if isinstance(plane, Mapping) else {}
    return str(known.get("t", 0)), str(known.get("z", 0))


def _points(geometry: Any) -> list[np.ndarray]:
    """Return points, each as a ring of its own, ``(1, 2)``."""
    if not isinstance(geometry, Mapping) or geometry.get("type") not in ("Point", "MultiPoint"):
        return []
    known = geometry.get("coordinates")
    if not known:
        return []
    try:
        points = np.asarray(known if geometry["type"] == "MultiPoint" else [known], np.float64)
        if points.ndim != 2 or points.shape[1] < 2 or not np.isfinite(points).all():
            raise ValueError("no point")
    except (TypeError, ValueError):
        raise UnusableError("holds a point without coordinates", _REMEDY) from None
    return list(points[:, None, :2])


def _rings(geometry: Any) -> list[np.ndarray]:
    """Return the rings of polygons, holes turning the other way."""
    if not isinstance(geometry, Mapping):
        return []
    kind, known = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        return []
    parts: Any = [known] if kind == "Polygon" else known
    rings = []
    try:
        for part in parts:
            for number, points in enumerate(part):
                ring = np.asarray(points, np.float64)[:, :2]
                if len(ring) < 3 or not np.isfinite(ring).all():
                    raise ValueError("no ring")
                turned = (twice_area(ring) < 0) != (number > 0)
                rings.append(ring[::-1] if turned else ring)
    except (TypeError, ValueError, IndexError):
        raise UnusableError("holds a polygon without points", _REMEDY) from None
    return rings


def _values(feature: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of an object, as columns."""
    values: dict[str, Any] = {}
    known = properties.get("classification")
    name = known.get("name") if isinstance(known, Mapping) else known
    if isinstance(known, Mapping) and not name:  # of several words, as since QuPath 0.4
        names = known.get("names")
        name = ": ".join(map(str, names)) if isinstance(names, list) else None
    if name:
        values["classification"] = str(name)
    if properties.get("name"):
        values["name"] = str(properties["name"])
    if isinstance(feature.get("id"), str) and feature["id"] not in _OLD_KINDS:
        values["object"] = feature["id"]
    said = properties.get("measurements")
    if isinstance(said, list):  # as before QuPath 0.4
        pairs = [one for one in said if isinstance(one, Mapping)]
        said = {one.get("name"): one.get("value") for one in pairs}
    for key, value in said.items() if isinstance(said, Mapping) else ():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        # Names of a file are kept once, not once an object.
        values[sys.intern(str(key))] = float(value) if number else np.nan
    more = properties.get("metadata")  # since QuPath 0.5: words by words
    for key, value in more.items() if isinstance(more, Mapping) else ():
        values.setdefault(sys.intern(str(key)), str(value))
    return values
