"""Fields of view that were opened as if each were a patch: what can be cut out of them."""

from __future__ import annotations

import numpy as np

from napari_patchmap import formats
from napari_patchmap.kind import Kind
from napari_patchmap.patches.patchset import PatchSet

#: So few images, all at least so long (pixels), are fields of view rather than patches.
_FEW, _LONG = 16, 400

_TIFF = (".tif", ".tiff", ".btf", ".tf8")


def ways_to_cut(patches: PatchSet) -> tuple[str, ...]:
    """Say how patches could be cut out of images that are rather fields of view.

    Returns
    -------
    tuple of {"tiles", "objects"}
        Empty if the images are patches.
    """
    sizes = patches.images.sizes
    if patches.labels is not None or len(sizes) > _FEW or sizes.min() < _LONG:
        return ()  # what has a label of its own is a patch
    names = [str(name).lower() for name in patches.table["source"]]
    if patches.origin.get("kind") == Kind.STACK:
        if not all(name.endswith(tuple(formats.MICROSCOPES)) for name in names):
            return ()
        of = [column for column in ("source", "image") if column in patches.table]
        # Several planes of an image are no slide.
        return () if patches.table[of].duplicated().any() else ("tiles",)
    if patches.origin.get("kind") != Kind.FOLDER:
        return ()
    tiff = all(name.endswith(_TIFF) for name in names)
    return ("tiles", "objects") if tiff else ("objects",)


def sentence_of_fields(patches: PatchSet) -> str:
    """Say so if images are rather fields of view, and how they can be cut; else ""."""
    ways = ways_to_cut(patches)
    if not ways:
        return ""
    options = {"tiles": "as tiles (--tile-size)", "objects": "around objects (--objects)"}
    listed = " or ".join(options[way] for way in ways)
    longest = int(np.max(patches.images.sizes))
    if len(patches) == 1:
        return (
            f"This is one image of {longest:,} pixels a side, taken as one patch; if it is a "
            f"field of view, have patches cut out of it: {listed}."
        )
    return (
        f"These are {len(patches)} images of up to {longest:,} pixels a side, each taken as "
        f"one patch; if they are fields of view, have patches cut out of them: {listed}."
    )
