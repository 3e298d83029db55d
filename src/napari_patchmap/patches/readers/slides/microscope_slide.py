"""Large images in files of microscope makers: Zeiss mosaics with their smaller copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.readers.microscope.makers import (
    file_and_scene,
    is_microscope,
    number_of,
    open_microscope,
    several_scenes,
)
from napari_patchmap.patches.readers.microscope.microscope_file import SceneArray
from napari_patchmap.patches.readers.microscope.microscope_stack import named_channels
from napari_patchmap.patches.readers.slides.metadata import objective
from napari_patchmap.patches.readers.slides.pyramid import Level, Pyramid

#: With smaller copies, and a side of so many pixels, an image is a slide.
_LARGE = 4096


class MicroscopeSlide(Pyramid):
    """A scene of a microscope's file, of which parts are read when they are wanted.

    Parameters
    ----------
    path : Path
        Of the file; behind it the name of the scene, where there are several.

    Raises
    ------
    UnusableError
        If it is a volume or a time series.
    UnclearArrayError
        If the file holds several scenes and none was named.
    """

    def __init__(self, path: Path) -> None:
        found = file_and_scene(path)
        assert found is not None
        self.path = path
        self._file = open_microscope(found[0])
        self._number = number_of(self._file, found[1])
        scene = self._file.scenes[self._number]
        if scene.lead:
            axis = scene.lead[0]
            raise UnusableError(
                f"holds {scene.lengths[axis]} images along {axis}, so it is a stack and not a "
                "slide",
                "open it without settings for tiles, or save one of its planes",
            )
        if SceneArray(self._file, self._number).missing().all():
            raise UnusableError("is missing in the file", "copy or export it again")
        height, width = scene.lengths["Y"], scene.lengths["X"]
        self.levels = [
            Level(max(1, int(height / by)), max(1, int(width / by)), by)
            for by in scene.downsamples
        ]
        self.dtype, self.channels = scene.dtype, scene.channels
        self.channel_names = named_channels(scene, scene.axes)
        self.mpp = scene.mpp
        self.magnification = None if scene.mpp is None else objective(scene.mpp)
        self.derived = scene.mpp is not None

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The file that the scene lies in."""
        return [(self._file.path.name, self._file.path)]

    def _fill(self, level: int, y: int, x: int, out: np.ndarray) -> None:
        by = self.levels[level].downsample
        out[...] = self._file.read(self._number, {}, (y, x, *out.shape[:2]), by)


def is_microscope_slide(path: Path) -> bool:
    """Whether a scene, or the first of a file, is large and has copies; no pixels are read.

    Raises
    ------
    PatchmapError
        If it cannot be opened.
    """
    found = file_and_scene(path)
    if found is None:
        return False
    file = open_microscope(found[0])
    scene = file.scenes[number_of(file, found[1]) if found[1] else 0]
    large = max(scene.lengths["Y"], scene.lengths["X"]) >= _LARGE
    return large and not scene.lead and len(scene.downsamples) > 1


def with_scenes(root: Path, names: list[str]) -> list[str]:
    """Put the scenes of files that hold several in place of those files, as paths in them."""
    found = []
    for name in names:
        scenes = several_scenes(root / name) if is_microscope(root / name) else []
        found += [f"{name}/{scene}" for scene in scenes] or [name]
    return found
