"""Zeiss CZI, through pylibCZIrw, which joins the tiles of mosaics and reads smaller copies."""

from __future__ import annotations

import math
import weakref
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.optional import optional
from napari_patchmap.patches.axes import RGB
from napari_patchmap.patches.readers.microscope.microscope_file import (
    MicroscopeFile,
    PlanePart,
    Scene,
    scene_names,
    square_mpp,
)

czi = optional("pylibCZIrw.czi", package="pylibCZIrw", extra="formats")

#: Kinds of pixels: their numbers, and how many a pixel has, in the order blue, green, red.
_PIXELS = {
    "Gray8": ("u1", 1), "Gray16": ("u2", 1), "Gray32Float": ("f4", 1),
    "Bgr24": ("u1", 3), "Bgr48": ("u2", 3), "Bgr96Float": ("f4", 3),
}  # fmt: skip

#: Axes that number planes: time, depth, phase, rotation, illumination, view, block.
_LEAD = "TZHRIVB"


class CziFile(MicroscopeFile):
    """A CZI file; the tiles of a scene are one image.

    Raises
    ------
    MissingPackageError
        Without pylibCZIrw.
    UnusableError, or anything that pylibCZIrw raises
        If it is damaged, or of a kind that is not read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        reader = self._reader = czi.CziReader(str(path))
        weakref.finalize(self, reader.close)
        bounds = reader.total_bounding_box
        self._starts = {axis: start for axis, (start, _) in bounds.items()}
        lengths = {axis: end - start for axis, (start, end) in bounds.items()}
        first = self._starts.get("C", 0)
        self._kinds = [
            reader.get_channel_pixel_type(first + k) for k in range(lengths.get("C", 1))
        ]
        unknown = next((kind for kind in self._kinds if kind not in _PIXELS), None)
        if unknown is not None:
            raise UnusableError(f"holds pixels of the kind {unknown}", "export it as OME-TIFF")
        samples = {_PIXELS[kind][1] for kind in self._kinds}
        if len(samples) > 1:
            raise UnusableError("holds colour and grey channels", "export those you want alone")
        self._samples = samples.pop()
        dtype = np.result_type(*(np.dtype(_PIXELS[kind][0]) for kind in self._kinds))
        places = reader.scenes_bounding_rectangle_no_pyramid
        self._numbers: list[int | None] = list(places) or [None]
        whole = reader.total_bounding_rectangle_no_pyramid
        self._places = [whole if one is None else places[one] for one in self._numbers]
        self._planes = set[tuple[int, ...]]()
        axes = "".join(axis for axis in _LEAD if lengths.get(axis, 1) > 1)
        axes += (
            ("C" if len(self._kinds) > 1 else "") + "YX" + ("S" if self._samples > 1 else "")
        )
        root = ElementTree.fromstring(reader.raw_metadata)
        channels = RGB if self._samples > 1 else _channel_names(root, len(self._kinds))
        downsamples = self._look_at_parts()
        names = scene_names([_scene_name(root, one) for one in self._numbers])
        self.scenes = []
        for name, place in zip(names, self._places, strict=True):
            known = lengths | {"Y": place.h, "X": place.w, "S": self._samples}
            shape = tuple(known[axis] for axis in axes)
            self.scenes.append(
                Scene(name, axes, shape, dtype, channels, _mpp(root), downsamples)
            )

    def read(
        self,
        number: int,
        at: Mapping[str, int],
        box: PlanePart | None = None,
        downsample: float = 1,
    ) -> np.ndarray:
        """Return a plane of a scene, or a part of it."""
        scene, place = self.scenes[number], self._places[number]
        y, x, height, width = box or (0, 0, place.h, place.w)
        roi = czi.Rectangle(
            place.x + round(x * downsample), place.y + round(y * downsample),
            math.ceil(width * downsample), math.ceil(height * downsample),
        )  # fmt: skip
        # Where a mosaic has no tile; of slides, white is glass.
        blank = 1.0 if self._samples > 1 and box is not None else 0.0
        channels = [at.get("C", 0)] if "C" in scene.lead else range(len(self._kinds))
        out = np.empty((height, width, scene.channels), scene.dtype)
        for k, channel in enumerate(channels):
            plane = {axis: at[axis] + self._starts[axis] for axis in scene.lead}
            plane["C"] = channel + self._starts.get("C", 0)
            with self._lock:
                pixels = self._reader.read(
                    roi, plane, self._numbers[number], 1 / downsample,
                    background_pixel=(blank, blank, blank),
                )  # fmt: skip
            rest = ((0, max(0, height - len(pixels))), (0, max(0, width - pixels.shape[1])))
            pixels = np.pad(pixels, (*rest, (0, 0)), mode="edge")[:height, :width]
            part = slice(None) if self._samples > 1 else slice(k, k + 1)
            out[..., part] = pixels[..., ::-1]
        return out

    def lacks(self, number: int, at: Mapping[str, int], channel: int) -> bool:
        """Whether no tile of a plane is in the file."""
        scene = self._numbers[number]
        places = {axis: place + self._starts[axis] for axis, place in at.items()}
        places["C"] = channel + self._starts.get("C", 0)
        return self._key({"S": scene or 0} | places) not in self._planes

    def _key(self, places: Mapping[str, int]) -> tuple[int, ...]:
        """Return where a plane lies; the first place of an axis that is not named."""
        return tuple(places.get(axis, self._starts.get(axis, 0)) for axis in "SC" + _LEAD)

    def _look_at_parts(self) -> tuple[float, ...]:
        """Look which planes the file holds, and return which smaller copies of them."""
        found = {1.0}

        def look(_: int, part: Any) -> bool:
            self._planes.add(self._key(part.coordinate.to_dict()))
            if part.physicalSize.w:
                found.add(float(max(1, round(part.logicalRect.w / part.physicalSize.w))))
            return True

        self._reader.enumerate_subblocks(look)
        return tuple(sorted(found))


def _channel_names(root: ElementTree.Element, count: int) -> tuple[str, ...]:
    nodes = root.findall("Metadata/Information/Image/Dimensions/Channels/Channel")
    names = [(node.get("Name") or node.findtext("Fluor") or "").strip() for node in nodes]
    return tuple(names) if len(names) == count == len(set(names) - {""}) else ()


def _scene_name(root: ElementTree.Element, number: int | None) -> str:
    for node in root.findall("Metadata/Information/Image/Dimensions/S/Scenes/Scene"):
        if node.get("Index") == str(number) and node.get("Name"):
            return str(node.get("Name"))
    return f"Scene {(number or 0) + 1}"


def _mpp(root: ElementTree.Element) -> float | None:
    sides = [
        root.findtext(f"Metadata/Scaling/Items/Distance[@Id='{axis}']/Value") for axis in "YX"
    ]
    try:
        height, width = (1e6 * float(side or "nan") for side in sides)
    except ValueError:
        return None
    return square_mpp(height, width)
