"""One image that patches were cut out of, and the layer that brings them out on it."""

from __future__ import annotations

import math
import os
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import Colormap

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.readers.objects.folders import MASK_ENDINGS
from napari_patchmap.plugin.canvas.two_views import OVERLAY
from napari_patchmap.plugin.source.painting import BoxPicture, ObjectPicture

#: Names, in the metadata of a layer, the source of the table that it shows, or the labels of.
SOURCE = "patchmap_source"

#: How many pixels of the source one pixel of that layer spans.
SCALE = "patchmap_level0_scale"

#: Ends of the names of images of which there are label images as well.
_IMAGES = ("_image", "_img", "-image", "-img")

#: Shade, nothing, edge of what is chosen, outline of a tile (red, green, blue, opacity).
_COLOURS = [(0, 0, 0, 0.5), (0, 0, 0, 0), (1, 0.83, 0.1, 1), (1, 0.83, 0.1, 0.75)]
_CLEAR = [(0, 0, 0, 0), *_COLOURS[1:]]


class Place:
    """Where patches lie in a layer of the viewer.

    Parameters
    ----------
    layer : Layer
        The Labels layer of the objects, or the image that boxes were cut out of.
    patches : PatchSet
    rows : ndarray of int
        The patches that come from it.

    Attributes
    ----------
    source : str
        What the table calls it.
    overlay : Image or None
        The layer that brings out the chosen patches, while it is in the viewer.
    across : ndarray of float, shape (n,)
        How many pixels of the source an object spans; half its crop where that is not known.
    """

    def __init__(self, layer: Layer, patches: PatchSet, rows: np.ndarray) -> None:
        self.layer, self.rows = layer, rows
        self.overlay: Image | None = None
        table = patches.table
        self.source = str(table["source"].iloc[rows[0]])
        self.frames = table["frame"].to_numpy()[rows]
        self.boxes = table[["y", "x", "height", "width"]].to_numpy(np.int64)[rows]
        self.across = self.boxes[:, 2:].min(axis=1) / 2
        if "area" in table:
            self.across = 2 * np.sqrt(table["area"].to_numpy(float)[rows] / np.pi)
        #: Tiles are outlined while none is selected; objects can be seen without it.
        self.outlined = "label_id" not in table
        self._drawn: tuple[int, np.ndarray] | None = None
        self._scale = float(layer.metadata.get(SCALE, 1.0))
        pixels = layer.data.shape
        #: The axis of the layer that numbers frames, where there are several.
        self.axis = 0
        self.picture: ObjectPicture | BoxPicture
        if isinstance(layer, Labels):
            self.ids = table["label_id"].to_numpy().astype(np.int64)[rows]
            side = float(np.sqrt(np.median(table["area"].to_numpy()[rows])))
            lead = pixels[:-2]
            self.axis = next((at for at, length in enumerate(lead) if length > 1), 0)
            self.picture = ObjectPicture(self.labels, self.frames, self.ids, side)
            self.timed = len(lead) > 0
        else:
            self.ids = np.zeros(len(rows), np.int64)
            plane = pixels[:-1] if layer.rgb else pixels
            size = plane[-2] * self._scale, plane[-1] * self._scale
            self.picture = BoxPicture(self.boxes, self.frames, size)
            self.timed = len(plane) > 2 and bool(self.frames.any())

    @property
    def labels(self) -> Any:
        """Those of a Labels layer, as ``([time,] height, width)``."""
        layer = self.layer
        data = layer.data[0] if layer.multiscale else layer.data
        every = slice(None)
        lead = [every if at == self.axis else 0 for at in range(data.ndim - 2)]
        return data[(*lead, every, every)] if len(lead) > 1 else data

    @property
    def shown(self) -> bool:
        """Whether the image is to be seen; that of labels may be, without the labels."""
        return bool(self.layer.visible) or isinstance(self.layer, Labels)

    # -- which patch, which frame --------------------------------------------------

    def position(self, patch: int) -> int:
        """Return which of its patches a patch is, -1 if it lies elsewhere."""
        found = int(np.searchsorted(self.rows, patch))
        return found if found < len(self.rows) and self.rows[found] == patch else -1

    def frame(self, point: Any) -> int:
        """Return the frame that a viewer shows whose ``dims.point`` this is."""
        return round(float(self.layer.world_to_data(point)[self.axis])) if self.timed else 0

    def find(self, point: Any) -> np.ndarray:
        """Return the patches at a place in the world, the one that is meant first."""
        data = np.asarray(self.layer.world_to_data(point))
        frame = round(float(data[self.axis])) if self.timed else 0
        y, x = (data[-2:] + 0.5) * self._scale - 0.5
        return self.rows[self.picture.find(frame, float(y), float(x))]

    # -- where on the screen -------------------------------------------------------

    def corners(self, patch: int) -> np.ndarray:
        """Return the corners of a patch in the world, each (y, x), all around."""
        y, x, height, width = self.boxes[self.position(patch)].tolist()
        return self.to_world(
            np.array([[y, x], [y, x + width], [y + height, x + width], [y + height, x]]) - 0.5
        )

    def middles(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the patches of a frame, and their middles in the world, each (y, x)."""
        here = np.flatnonzero(self.frames == frame)
        boxes = self.boxes[here]
        return self.rows[here], self.to_world(boxes[:, :2] + (boxes[:, 2:] - 1) / 2)

    def to_world(self, pixels: np.ndarray) -> np.ndarray:
        """Turn places in the source, each (y, x) in pixels, into places in the world."""
        data = (np.asarray(pixels, float) + 0.5) / self._scale - 0.5
        lead = [0.0] * (self.layer.ndim - 2)
        # However many there are: napari turns one at a time, and the same way everywhere.
        origin, down, right = (
            np.asarray(self.layer.data_to_world((*lead, *corner))[-2:])
            for corner in ((0, 0), (1, 0), (0, 1))
        )
        return origin + data[:, :1] * (down - origin) + data[:, 1:] * (right - origin)

    @property
    def unit(self) -> float:
        """Units of the world that one pixel of the source spans."""
        return float(np.linalg.norm(self.matrix(1)[:2, 0]))

    # -- the overlay ---------------------------------------------------------------

    def seen_at(self, zoom: float) -> bool:
        """Take how many pixels of the screen a unit of the world has: objects may be dots.

        Returned is whether what was drawn is not right any more.
        """
        if self.outlined or isinstance(self.picture, ObjectPicture):
            return False
        if not self.picture.seen_at(1 / (zoom * self.unit)):
            return False
        self._drawn = None
        return True

    def draw(self, frame: int, chosen: np.ndarray) -> Image:
        """Draw the chosen patches of a frame; ``chosen`` is ``(n,)`` bool over all patches."""
        here, before = chosen[self.rows], self._drawn
        same = before is not None and before[0] == frame and np.array_equal(before[1], here)
        # Without one chosen here, shade and outlines depend on those chosen elsewhere.
        if self.overlay is not None and same and here.any():
            return self.overlay
        self._drawn = (frame, here)
        picture = self.picture.draw(frame, here)
        # While nothing is chosen nothing is shaded.
        colours = Colormap(
            _COLOURS if chosen.any() else _CLEAR,
            controls=[0, 0.25, 0.5, 0.75, 1],
            interpolation="zero",
            name="patchmap",
        )
        if self.overlay is None:
            self.overlay = Image(
                picture, name=f"{self.layer.name} (selected patches)", colormap=colours,
                contrast_limits=(-0.5, 3.5), blending="translucent_no_depth",
                affine=self.matrix(self.picture.step), metadata={OVERLAY: True},
            )  # fmt: skip
        else:
            self.overlay.colormap = colours
            self.overlay.affine = self.matrix(self.picture.step)
            self.overlay.data = picture
        return self.overlay

    def matrix(self, step: int, corner: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Return the matrix, 3 x 3, that lays pixels of a picture on those of the source.

        Each of its pixels spans ``step`` of them, the first from ``corner`` (y, x) on.
        """
        middle = (step - 1) / 2 + np.array(corner)
        places = np.array([[0, 0], [step, 0], [0, step]]) + middle
        origin, down, right = self.to_world(places)
        matrix = np.eye(3)
        matrix[:2, 0], matrix[:2, 1], matrix[:2, 2] = down - origin, right - origin, origin
        return matrix


def places_in(layers: list[Layer], patches: PatchSet | None) -> list[Place]:
    """Find the layers that hold the patches, one a source.

    A layer is known by its metadata, by the name it had when the patches were
    cut out of it, or by its file.
    """
    if patches is None:
        return []
    origin, table = patches.origin, patches.table
    objects = origin.get("kind") == "objects" or "labels_layer" in origin
    found: list[Place] = []
    if objects:
        for layer in reversed(layers):
            named = layer.name == origin.get("labels_layer")
            filed = _path(layer) is not None and _path(layer) == origin.get("objects")
            if isinstance(layer, Labels) and (named or filed) and _holds(layer, table):
                return [Place(layer, patches, np.arange(len(patches)))]
    sources = table["source"].astype(str).to_numpy()
    for layer in reversed(layers) if objects else ():
        rows = np.flatnonzero(sources == _field_of(layer, origin, sources))
        if len(rows) and _holds(layer, table.iloc[rows]):
            found.append(Place(layer, patches, rows))
    for layer in reversed(layers):
        if not isinstance(layer, Image) or layer.metadata.get(OVERLAY):
            continue
        name = layer.metadata.get(SOURCE)
        if name is None and (objects or origin.get("kind") == "slides"):
            name = _source_of(layer, origin, sources)
        rows = np.flatnonzero(sources == str(name))
        if name is not None and len(rows) and not any(_same(p, rows) for p in found):
            found.append(Place(layer, patches, rows))
    return found


def _source_of(layer: Layer, origin: dict[str, Any], sources: np.ndarray) -> str | None:
    """Return the source that a layer shows, by its name or its file."""
    path, root = _path(layer), str(origin.get("path") or "")
    if layer.name == origin.get("layer"):
        return str(sources[0])
    if path is not None and path == root:
        return _scene_of(layer.name, origin.get("key"), sources)
    if path is not None and root and path.startswith(root):
        return path[len(root) :].lstrip("/\\").replace("\\", "/")
    return None


def _scene_of(name: str, key: object, sources: np.ndarray) -> str | None:
    """Return the source that a layer shows of one file, which other readers name it by.

    Of a file of several images a layer may show any.
    """
    if key:
        return str(sources[0]) if str(key) in name else None
    scenes = sorted(set(sources.tolist()), key=len, reverse=True)
    if len(scenes) == 1:
        return str(scenes[0])
    return next((str(scene) for scene in scenes if scene in name), None)


def _field_of(layer: Layer, origin: dict[str, Any], sources: np.ndarray) -> str | None:
    """Return the image, of a folder of them, whose label image a layer shows."""
    if isinstance(layer, Labels) and str(layer.metadata.get(SOURCE)) in sources:
        return str(layer.metadata[SOURCE])  # opened by us
    path, root = _path(layer), str(origin.get("objects") or "")
    if not isinstance(layer, Labels) or not root:
        return None
    try:  # napari forgets the file of an image that is converted to labels
        name = layer.name if path is None else PurePath(path).relative_to(root).as_posix()
    except ValueError:  # from elsewhere
        return None
    fields = {_bare(source): source for source in set(sources.tolist())}
    return fields.get(_bare(name))


def _bare(name: str) -> str:
    """Return what the names of an image and of its labels have in common."""
    stem = os.path.splitext(name)[0].casefold().removesuffix(".ome")
    ending = next((end for end in (*MASK_ENDINGS, *_IMAGES) if stem.endswith(end)), "")
    return stem.removesuffix(ending)


def _holds(layer: Layer, table: pd.DataFrame) -> bool:
    """Whether patches lie within the layer: another one may have its name by now."""
    shape = layer.data.shape
    planes = math.prod(shape[:-2])
    if planes not in (1, *shape[:-2]) or "label_id" not in table:
        return False  # several times and several depths
    return bool(
        table["frame"].max() < planes
        and table["centroid_y"].max() < shape[-2]
        and table["centroid_x"].max() < shape[-1]
    )


def _same(place: Place, rows: np.ndarray) -> bool:
    return place.rows[0] == rows[0]


def _path(layer: Layer) -> str | None:
    """Return the file that a layer was opened from, None if it was none."""
    path = layer.source.path
    return None if path is None else str(path)
