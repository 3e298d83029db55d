"""One field of view in the file of a microscope's maker: read plane by plane."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_patchmap.patches.axes import check_axes
from napari_patchmap.patches.readers.microscope.makers import number_of, open_microscope
from napari_patchmap.patches.readers.microscope.microscope_file import SceneArray
from napari_patchmap.patches.readers.microscope.microscope_stack import named_channels
from napari_patchmap.patches.readers.objects.frames import check_depth


def microscope_field(
    path: Path, axes: str, key: str | None
) -> tuple[SceneArray, str, Sequence[str]]:
    """Open an image out of which objects are cut: its pixels, axes and names of channels.

    ``key`` is the name of the scene, where there are several.

    Raises
    ------
    PatchError
        If it cannot be read, or is a volume.
    UnclearArrayError
        If there are several scenes and none was named.
    """
    file = open_microscope(path)
    array = SceneArray(file, number_of(file, key or ""))
    if axes == "auto":
        letters = array.scene.axes
        check_depth(letters, path.name)
    else:
        letters = check_axes(axes, array.ndim, path.name)
    return array, letters, named_channels(array.scene, letters)


def missing_planes(image: SceneArray, name: str) -> list[str]:
    """Say so in a sentence if planes of an image are missing in its file."""
    count = np.count_nonzero(image.missing())
    if not count:
        return []
    return [f"{count:,} plane(s) of {name} are missing in the file; objects there are black."]
