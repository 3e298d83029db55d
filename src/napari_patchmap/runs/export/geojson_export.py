"""Tiles and objects as GeoJSON, in the form that QuPath imports as its objects.

A FeatureCollection of polygons in pixels of the whole image, from its upper left corner;
``properties`` are ``objectType``, ``name``, ``classification`` (``name``, ``color``) and
``measurements``, as in QuPath's own exports.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError, RunError
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.names import printable
from napari_patchmap.patches.readers.objects.drawn_objects import Outline
from napari_patchmap.patches.readers.objects.find_objects import Objects, find_objects
from napari_patchmap.patches.readers.objects.label_images import label_images
from napari_patchmap.patches.readers.objects.slide_labels import SlideLabels
from napari_patchmap.patches.readers.objects.slide_object_files import (
    slide_shapes,
    slides_of,
)
from napari_patchmap.patches.watch import LoadCancelled
from napari_patchmap.runs.export.export_format import Exportable, ExportFormat
from napari_patchmap.runs.export.outlines import drawn, outline
from napari_patchmap.runs.export.safe_columns import file_names, text_of
from napari_patchmap.writing import whole_file

#: Numbers of the table that measure nothing.
_NO_MEASUREMENTS = {*BOX_COLUMNS, "label", "label_id"}

#: Columns of the box of a patch.
_BOX = ["y", "x", "height", "width"]

#: Returns the label image of a source and frame; of a slide that, or outlines by numbers.
_Plane = Callable[[str, int], np.ndarray]
_OnSlide = Callable[[str], Sequence[Outline] | SlideLabels]

#: Returns the geometry of the object of a row, by its place among the rows of its image; None
#: where it is not known. Of all of a slide at a time they would take gigabytes.
_Shape = Callable[[int], dict[str, Any] | None]


def _write(data: Exportable, path: Path) -> tuple[list[Path], list[str]]:
    if not data.has_places:
        raise RunError(
            f"The patches of {data.name} are whole images, so they have no place in an image "
            "that GeoJSON could say; export them as a table or a folder."
        )
    table = data.table
    grouped: dict[Any, np.ndarray] = table.groupby(
        ["source", "frame"], sort=False, dropna=False
    ).indices  # type: ignore[assignment]
    groups = list(grouped.items())
    paths = _paths(path, [(str(source), int(frame)) for (source, frame), _ in groups])
    notes: list[str] = []
    if len(paths) > 1:
        notes.append(f"There are {len(paths):,} images, so each has a file of its own.")
    plane, on_slide = _objects(data, notes)
    measured = _measurements(table)
    boxes, where = table[_BOX].to_numpy(np.int64), table[[*BOX_COLUMNS]].astype(str).to_numpy()
    done = boxed = 0
    for (key, of_group), to in zip(groups, paths, strict=True):
        rows, source = np.asarray(of_group), str(key[0])
        data.watch.step(done, len(table))
        if on_slide is not None:
            shape = _of_slide(data, on_slide, source, rows)
        else:
            shape = _of_image(data, plane, source, int(key[1]), rows)
        with whole_file(to) as file:
            file.write(b'{"type": "FeatureCollection", "features": [')
            for k, row in enumerate(rows.tolist()):
                if done % 1_000 == 0:
                    data.watch.step(done, len(table))
                found = shape(k)
                boxed += found is None
                outlined = found or _box(*boxes[row].tolist())
                feature = _feature(data, row, "|".join(where[row]), outlined, measured)
                text = json.dumps(feature, ensure_ascii=False, allow_nan=False)
                file.write((",\n" if k else "\n").encode() + text.encode())
                done += 1
            file.write(b"\n]}\n")
    if (plane or on_slide) and boxed:
        notes.append(
            f"{boxed:,} of {len(table):,} objects were not found as they were in the file of "
            "labels or outlines, so the boxes of their patches stand for them."
        )
    return paths, notes


def _paths(path: Path, images: list[tuple[str, int]]) -> list[Path]:
    """Name a file for each image; the one that was asked for if there is one image only."""
    if len(images) == 1:
        return [path]
    several = len({source for source, _ in images}) < len(images)
    # Images of one name in several folders are told apart by their folders.
    short = len({PurePosixPath(source).stem for source, _ in images}) == len(
        {source for source, _ in images}
    )
    stems = [
        (PurePosixPath(source).stem if short else source)
        + (f" frame {frame}" if several else "")
        for source, frame in images
    ]
    names = file_names(stems, "image")
    paths = [path.with_name(f"{path.stem} {names[stem]}{path.suffix}") for stem in stems]
    there = [one for one in paths if one.exists()]
    if there:
        raise RunError(
            f"{there[0]} is there already; remove it, or choose another name (each of the "
            f"{len(paths):,} images gets a file of its own)."
        )
    return paths


def _objects(data: Exportable, notes: list[str]) -> tuple[_Plane | None, _OnSlide | None]:
    """Return what reads the objects, one of the two; neither where they are gone."""
    if "label_id" not in data.table:
        return None, None
    try:
        if slides_of(data.origin):
            return None, slide_shapes(data.origin)
        return label_images(data.origin, data.watch), None
    except LoadCancelled:
        raise
    except PatchError as error:
        notes.append(f"Boxes stand for the objects, since their labels are not there: {error}")
        return None, None


def _of_slide(data: Exportable, on_slide: _OnSlide, source: str, rows: np.ndarray) -> _Shape:
    """Return what gives the geometry of the objects of a slide."""
    table = data.table.iloc[rows]
    try:
        known = on_slide(source)
        if isinstance(known, SlideLabels):
            found = known.objects(data.watch)
            return _traced(table, found, known.on_slide(found).area, known.read, known.scale)
    except LoadCancelled:
        raise
    except PatchError:
        return _unknown
    numbers = table["label_id"].to_numpy(np.int64).tolist()
    return lambda k: drawn(known[numbers[k] - 1].rings) if numbers[k] <= len(known) else None


def _of_image(
    data: Exportable, plane: _Plane | None, source: str, frame: int, rows: np.ndarray
) -> _Shape:
    """Return what gives the geometry of the objects of an image; of tiles nothing is known."""
    if plane is None:
        return _unknown
    try:
        labels = plane(source, frame)
    except LoadCancelled:
        raise
    except PatchError:
        return _unknown

    def read(y: int, x: int, height: int, width: int) -> np.ndarray:
        return labels[y : y + height, x : x + width]

    found = find_objects(labels)
    return _traced(data.table.iloc[rows], found, found.area, read)


def _unknown(k: int) -> None:
    return None


def _traced(
    table: pd.DataFrame,
    found: Objects,
    areas: np.ndarray,
    read: Callable[[int, int, int, int], np.ndarray],
    scale: float = 1,
) -> _Shape:
    """Return what traces the outlines of labels; ``areas`` are as the table says them."""
    at = pd.Index(found.ids).get_indexer(table["label_id"].to_numpy(np.int64))
    before = table["area"].to_numpy() if "area" in table else None

    def shape(k: int) -> dict[str, Any] | None:
        one = int(at[k])
        # An object that was painted over since is another one.
        if one < 0 or (before is not None and before[k] != areas[one]):
            return None
        top, left, bottom, right = found.boxes[one].tolist()
        try:
            mask = read(top, left, bottom - top, right - left) == found.ids[one]
        except PatchError:  # damaged there
            return None
        return outline(mask, top, left, scale)

    return shape


def _box(y: int, x: int, height: int, width: int) -> dict[str, Any]:
    """Return the box of a patch; what reaches beyond the upper left corner is left out."""
    top, left, bottom, right = max(y, 0), max(x, 0), y + height, x + width
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    return {"type": "Polygon", "coordinates": [ring]}


def _feature(
    data: Exportable,
    row: int,
    where: str,
    shape: dict[str, Any],
    measured: dict[str, np.ndarray],
) -> dict[str, Any]:
    index = data.table["index"].iat[row]
    # The same patch has the same id in every export, so that QuPath knows it again.
    said = "|".join(["patchmap", printable(where), str(index)])
    properties: dict[str, Any] = {"objectType": "detection", "name": f"patch {index}"}
    name = data.classes[row]
    if name:
        colour = data.class_colours.get(name, "#8a8a8a")
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        properties["classification"] = {"name": name, "color": rgb}
    values = {key: float(one[row]) for key, one in measured.items()}
    properties["measurements"] = {k: v for k, v in values.items() if np.isfinite(v)}
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, said)),
        "geometry": shape,
        "properties": properties,
    }


def _measurements(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the columns that are numbers, but not places and names."""
    names = [
        name
        for name in table
        if name not in _NO_MEASUREMENTS and pd.api.types.is_numeric_dtype(table[name])
    ]
    keys = text_of(pd.Series(names, dtype=object))
    return {
        str(key): table[name].to_numpy(float, na_value=np.nan)
        for key, name in zip(keys, names, strict=True)
    }


FORMAT = ExportFormat(".geojson", "Objects for QuPath (GeoJSON)", _write)
