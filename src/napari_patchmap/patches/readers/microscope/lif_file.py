"""Leica LIF, through liffile; each image, in whichever folder of the file, is a scene."""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.foreign import words
from napari_patchmap.optional import optional
from napari_patchmap.patches.axes import RGB
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.microscope.microscope_file import (
    Scene,
    WholePlanes,
    scene_names,
    square_mpp,
)

liffile = optional("liffile", extra="formats")

#: Letters for axes whose own are taken, or are none that people type: wavelengths are Greek.
_FREE = "LEMNQPKJ"

_CHANNEL = "Data/Image/ImageDescription/Channels/ChannelDescription"
_DIMENSION = "Data/Image/ImageDescription/Dimensions/DimensionDescription"

#: How the file numbers the axes X and Y.
_X, _Y = "1", "2"


class LifFile(WholePlanes):
    """A LIF file; an image that was scanned along X and Z has Z as its height.

    Raises
    ------
    MissingPackageError
        Without liffile.
    UnusableError, or anything that liffile raises
        If it is damaged, or of a kind that is not read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        file = self._file = liffile.LifFile(str(path))
        weakref.finalize(self, file.close)
        images = list(file.images)
        self.scenes, self._images, self._dims = [], list[Any](), list[dict[str, str]]()
        self._memory, length = list[_Memory](), path.stat().st_size
        for name, image in zip(scene_names([one.path for one in images]), images, strict=True):
            try:
                dims = _letters(image)
                scene = _scene(name, image, dims)
                memory = _Memory(image, length)
            except Exception as error:  # noqa: BLE001 - liffile raises anything on what is odd
                self.left_out.append(Skipped(name, f"cannot be read ({words(error)})"))
                continue
            self.scenes.append(scene)
            self._images.append(image)
            self._dims.append(dims)
            self._memory.append(memory)

    def lacks(self, number: int, at: Mapping[str, int], channel: int) -> bool:
        """Whether a plane lies beyond the end of its image's memory, or of the file."""
        dims, memory = self._dims[number], self._memory[number]
        return memory.end({dims[axis]: k for axis, k in at.items()}, channel) > memory.size

    def _plane(self, number: int, at: Mapping[str, int]) -> np.ndarray:
        scene, image, dims = self.scenes[number], self._images[number], self._dims[number]
        places = {dims[axis]: place for axis, place in at.items()}
        size = tuple(scene.lengths[axis] for axis in "YX")
        out = np.zeros((*size, scene.channels), scene.dtype)
        if "S" in scene.axes:
            if self.lacks(number, at, at.get("C", 0)):
                return out
            pixels = image.frame(**places)
            order = [image.frames.frame_dims.index(dims[axis]) for axis in "YXS"]
            return np.ascontiguousarray(pixels.transpose(order))
        for channel in range(scene.channels):
            own = {dims["C"]: channel} if "C" in dims else {}
            if not self.lacks(number, at, channel):
                out[..., channel] = image.frame(**places, **own)
        return out


class _Memory:
    """Where pixels of an image lie in its block of memory, of which ``size`` bytes are there.

    ``length`` is that of the file in bytes.
    """

    def __init__(self, image: Any, length: int) -> None:
        block, found = image.memory_block, image.xml_element.findall
        self.size = min(block.size, length - block.offset)
        steps = [
            (int(node.get("BytesInc", 0)), int(node.get("NumberOfElements", 0)))
            for node in found(_DIMENSION)
        ]
        steps = sorted((step for step in steps if step[1] > 1), reverse=True)
        names = [dim for dim in image.dims if dim not in ("C", "S") and image.sizes[dim] > 1]
        known = len(names) == len(steps)  # else nothing is said to be missing
        self._steps = dict(zip(names, steps, strict=True)) if known else {}
        ends = sorted(
            int(node.get("BytesInc", 0)) + math.ceil(int(node.get("Resolution", 8)) / 8)
            for node in found(_CHANNEL)
        )
        samples = image.sizes.get("S", 1)
        self._ends = ends[samples - 1 :: samples]

    def end(self, places: Mapping[str, int], channel: int) -> int:
        """Return the byte after the last of a plane, by its place along liffile's axes."""
        last = (places.get(dim, n - 1) * step for dim, (step, n) in self._steps.items())
        return self._ends[channel] + sum(last)


def _letters(image: Any) -> dict[str, str]:
    """Give each axis of an image a letter of ours; the values are liffile's names."""
    if image.is_flim:
        raise UnusableError("it holds lifetimes of fluorescence")
    inside = [dim for dim in image.frames.frame_dims if dim != "S"]
    if len(inside) != 2:
        raise UnusableError(f"its axes {', '.join(image.dims)} hold no planes")
    if image.memory_block.offset < 0:
        raise UnusableError("its pixels are not in the file")
    dims: dict[str, str] = {}
    for dim in image.dims:
        if dim not in inside and image.sizes[dim] > 1 and dim not in ("C", "S"):
            plain = dim.isascii() and len(dim) == 1 and dim.isupper() and dim not in "YX"
            taken = {*dims, *(set(image.dims) - set(inside))}
            free = next(letter for letter in _FREE if letter not in taken)
            dims[dim if plain else free] = dim
    if "C" in image.dims and image.sizes["C"] > 1:
        dims["C"] = "C"
    dims |= dict(zip("YX", inside, strict=True))
    return dims | ({"S": "S"} if "S" in image.dims else {})


def _scene(name: str, image: Any, dims: Mapping[str, str]) -> Scene:
    axes = "".join(dims)
    colours = "S" in dims
    if colours and image.sizes["S"] != 3:
        raise UnusableError(f"its pixels have {image.sizes['S']} samples")
    shape = tuple(int(image.sizes[dim]) for dim in dims.values())
    names = RGB if colours else _channel_names(image, dict(zip(axes, shape, strict=True)))
    plain = (dims["Y"], dims["X"]) == ("Y", "X")
    mpp = square_mpp(*(_spacing(image, at) for at in (_Y, _X))) if plain else None
    return Scene(name, axes, shape, np.dtype(image.dtype).newbyteorder("="), names, mpp)


def _channel_names(image: Any, lengths: Mapping[str, int]) -> tuple[str, ...]:
    """Take the dyes of the channels, or the colours in which they are shown."""
    nodes = image.xml_element.findall(_CHANNEL)
    nodes.sort(key=lambda node: int(node.get("BytesInc", 0)))
    dyes = [
        next((p.findtext("Value") or "" for p in node.findall("ChannelProperty")
              if p.findtext("Key") == "DyeName"), "")
        for node in nodes
    ]  # fmt: skip
    for names in (dyes, [node.get("LUTName", "") for node in nodes]):
        if 1 < len(names) == lengths.get("C", 1) == len(set(names) - {""}):
            return tuple(names)
    return ()


def _spacing(image: Any, axis: str) -> float:
    """Return the micrometres between the middles of two pixels, NaN if not known."""
    for node in image.xml_element.findall(_DIMENSION):
        count = int(node.get("NumberOfElements", 0))
        if node.get("DimID") == axis and node.get("Unit") == "m" and count > 1:
            return abs(float(node.get("Length", "nan"))) * 1e6 / (count - 1)
    return float("nan")
