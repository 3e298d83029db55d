"""The kinds of sources that patches come from."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Where patches come from."""

    #: A folder of images, each a patch.
    FOLDER = "folder"
    #: One file or store of many: TIFF, .npy, .npz, Zarr.
    STACK = "stack"
    #: Whole slides, cut into tiles.
    SLIDES = "slides"
    #: Crops around the objects of label images.
    OBJECTS = "objects"
    #: Rows of features without pictures.
    POINTS = "points"
    #: What is open in a viewer and in no file.
    LAYER = "layer"
    #: The cells that come with the package.
    SAMPLE = "sample"
    #: A saved run, which says what its patches are.
    RUN = "run"

    @classmethod
    def _missing_(cls, value: object) -> Kind | None:
        # As run folders and recent lists before 2026-11-26 say it.
        before = {"npz": cls.STACK, "zarr": cls.STACK, "file": cls.STACK}
        before |= {"slide": cls.SLIDES, "bundled": cls.SAMPLE}
        return before.get(str(value))


def known_origin(origin: Mapping[str, Any]) -> dict[str, Any]:
    """Return where patches came from, as it is said today; run folders keep older words."""
    try:
        return {**origin, "kind": str(Kind(str(origin.get("kind"))))}
    except ValueError:  # of somebody's own
        return dict(origin)
