"""ImageJ's regions of interest: a ``.roi`` file, or a ``.zip`` of them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.foreign import words
from napari_patchmap.optional import optional
from napari_patchmap.patches.readers.objects.drawn_objects import Outline
from napari_patchmap.patches.room import check_room

_REMEDY = "save them again from ImageJ's ROI Manager"

#: A region takes less than this, in bytes, and a set of them has fewer.
_LARGEST, _MOST = 2**24, 1_000_000


def roi_outlines(path: Path) -> tuple[list[Outline], list[str]]:
    """Read regions of interest as ImageJ writes them; lines and points are left out.

    Returns
    -------
    outlines : list of Outline
        With the columns ``name`` and, where ImageJ has groups, ``group``.
    notes : list of str
        What was left out.

    Raises
    ------
    MissingPackageError
        Without roifile.
    UnusableError
        If there are none, the file is damaged, or they lie on several planes.
    """
    outlines, flat, planes = [], 0, set()
    for name, content in _contents(path):
        try:
            roi = optional("roifile").ImagejRoi.frombytes(content)
            rings = _rings(roi)
        except (ValueError, IndexError, KeyError, OverflowError, MemoryError) as error:
            reason = f"holds {name}, which is no region of interest ({words(error)})"
            raise UnusableError(reason, _REMEDY) from None
        if not rings:
            flat += 1
            continue
        planes.add((int(roi.t_position), int(roi.z_position), int(roi.position)))
        values: dict[str, Any] = {"name": str(roi.name or name)}
        if int(roi.group):
            values["group"] = int(roi.group)
        outlines.append(Outline(rings, values))
    if not outlines:
        raise UnusableError("holds no region that encloses anything", _REMEDY)
    if len({(t, z) for t, z, _ in planes}) > 1:
        raise UnusableError(
            "has regions on several planes of a stack", "save those of each plane alone"
        )
    notes = [f"{flat:,} points or lines of {path.name} were left out."] if flat else []
    return outlines, notes


def _contents(path: Path) -> list[tuple[str, bytes]]:
    """Return the names and the bytes of all regions."""
    if path.suffix.lower() != ".zip":
        return [(path.stem, path.read_bytes())]
    if not zipfile.is_zipfile(path):
        raise UnusableError("is not a complete zip file", "copy or save it again")
    with zipfile.ZipFile(path) as file:
        rois = [one for one in file.infolist() if one.filename.lower().endswith(".roi")]
        if not rois:
            raise UnusableError("is a zip file without a region of interest", _REMEDY)
        if len(rois) > _MOST or any(one.file_size > _LARGEST for one in rois):
            raise UnusableError("claims more than regions of interest take", _REMEDY)
        check_room(sum(one.file_size for one in rois), str(path), _REMEDY)
        return [(Path(one.filename).stem, file.read(one)) for one in rois]


def _rings(roi: Any) -> list[np.ndarray]:
    """Return the rings of a region; none for what encloses nothing."""
    if roi.roitype.name in ("NOROI", "POINT", "ANGLE", "LINE", "POLYLINE", "FREELINE"):
        return []
    found = roi.coordinates(multi=True)
    rings = [np.asarray(ring, np.float64).reshape(-1, 2) for ring in found]
    return [ring for ring in rings if len(ring) > 2]
