"""Which files in a folder are slides."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from napari_patchmap import formats
from napari_patchmap.kind import Kind
from napari_patchmap.patches.names import natural_key
from napari_patchmap.patches.readers.microscope.makers import is_microscope, several_scenes
from napari_patchmap.patches.readers.slides.levels import is_slide
from napari_patchmap.patches.readers.slides.microscope_slide import with_scenes

_ENDINGS = formats.endings(Kind.SLIDES)

#: A store that is a folder.
_STORE = ".zarr"

#: Files that are looked into to find out whether a folder holds slides.
_PROBES = 5


def find_slides(root: Path) -> list[str]:
    """List files below ``root`` that may be slides, in natural order, ``/`` between parts.

    Zarr stores that are folders are taken where there are no such files. The scenes of a
    microscope's file stand below it, as if it were a folder; ``root`` may be such a file, too.
    """
    if is_microscope(root):
        return several_scenes(root)
    every = list(_files(root))
    names = [name for name in every if name.lower().endswith(_ENDINGS)]
    names = names or [name for name in every if name.lower().endswith(_STORE)]
    return with_scenes(root, sorted(names, key=natural_key))


def holds_slides(root: Path) -> bool:
    """Say whether every image in a folder is a slide, as far as a few of them tell."""
    maybe = []
    for name in _files(root):
        lower = name.lower()
        if lower.endswith(formats.NEVER_SLIDES):
            return False
        if lower.endswith(_ENDINGS):
            maybe.append(name)
    unsure = [name for name in maybe if not name.lower().endswith(formats.SURE_SLIDES)]
    spread = unsure[:: max(1, len(unsure) // _PROBES)][:_PROBES]
    found = sum(is_slide(root / name) for name in spread)
    # One file may be damaged; it is left out later, with its reason.
    return bool(maybe) and (found == len(spread) or (found > 1 and found + 1 == len(spread)))


def _files(root: Path) -> Iterator[str]:
    """Go through the files below ``root``, and the stores, whose own files are no others'.

    Hidden ones are left out, and loops of links.
    """
    seen = set()
    for folder, inner, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner[:] = []
            continue
        seen.add(real)
        inner[:] = [name for name in inner if not name.startswith((".", "__MACOSX"))]
        at = Path(folder).relative_to(root).as_posix()
        stores = [name for name in inner if name.lower().endswith(_STORE)]
        inner[:] = [name for name in inner if name not in stores]
        for name in files + stores:
            if not name.startswith("."):
                yield name if at == "." else f"{at}/{name}"
