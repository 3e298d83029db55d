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

#: What is known of objects takes at most so many times the bytes of the text.
_GROWS = 2


def qupath_outlines(path: Path) -> tuple[list[Outline], list[str]]:
    """Read the objects of a GeoJSON file.

    Cells and detections if there are any, else annotations; points and lines, which enclose
    nothing, are left out. ``classification`` is the name of the class, ``object`` its id.

    Returns
    -------
    outlines : list of Outline
    notes : list of str
        What was left out.

    Raises
    ------
    UnusableError
        If it is no GeoJSON, or encloses nothing.
    PatchError
        If the memory does not take it.
    """
    check_room(_GROWS * path.stat().st_size, str(path), _REMEDY)
    things: list[Outline] = []
    regions: list[Outline] = []
    flat = 0
    for feature in json_features(path, _REMEDY):
        properties = feature.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        rings = _rings(feature.get("geometry"))
        if not rings:
            flat += 1
            continue
        outline = Outline(rings, _values(feature, properties))
        kind = str(properties.get("objectType", properties.get("object_type", ""))).lower()
        (things if kind in _THINGS else regions).append(outline)
    if not things and not regions:
        raise UnusableError("holds no object that encloses anything", _REMEDY)
    notes = []
    if flat:
        notes.append(f"{flat:,} points or lines of {path.name} were left out.")
    if things and regions:
        notes.append(
            f"{len(regions):,} annotations of {path.name} were left out, because it has cells "
            "or detections."
        )
    return things or regions, notes


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
    if isinstance(feature.get("id"), str):
        values["object"] = feature["id"]
    said = properties.get("measurements")
    if isinstance(said, list):  # as before QuPath 0.4
        pairs = [one for one in said if isinstance(one, Mapping)]
        said = {one.get("name"): one.get("value") for one in pairs}
    for key, value in said.items() if isinstance(said, Mapping) else ():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        # Names of a file are kept once, not once an object.
        values[sys.intern(str(key))] = float(value) if number else np.nan
    return values
