"""The one door: whatever DATA is, it comes out as a :class:`PatchSet`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_patchmap.errors import PatchError
from napari_patchmap.kind import Kind
from napari_patchmap.patches.field_of_view import sentence_of_fields
from napari_patchmap.patches.labels.choice import with_label
from napari_patchmap.patches.labels.join import Labels, LabelsFile
from napari_patchmap.patches.labels.patterns import check_pattern
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.patches.readers import load, read
from napari_patchmap.patches.recognise import format_of
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.sample import bundled_cells
from napari_patchmap.patches.source import finish
from napari_patchmap.patches.threads import attended
from napari_patchmap.patches.watch import UNWATCHED, Watch

load()

#: What is read otherwise than as a folder of images, in words.
_READ_AS = {
    Kind.STACK: "a stack",
    Kind.SLIDES: "slides",
    Kind.OBJECTS: "objects of label images",
    Kind.POINTS: "rows of features",
}


def open_patches(
    path: str | os.PathLike[str] | OpenRequest,
    *,
    watch: Watch = UNWATCHED,
    **settings: Any,
) -> PatchSet:
    """Open patches from a folder or a file.

    Parameters
    ----------
    path : path or OpenRequest
    watch : Watch, optional
        Told now and then how many of how many images are done, in the calling thread.
    **settings
        Those of :class:`OpenRequest`: sizes, labels, axes, pattern, channels,
        label_column, tiles, objects, crops, columns, key.

    Returns
    -------
    PatchSet
        Its ``skipped`` lists the images that could not be used.

    Raises
    ------
    PatchError
        One sentence that names what is wrong and the remedy.
    LoadCancelled
        If ``watch`` wants to stop.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_patchmap.patches import open_patches
    >>> np.savez("cells.npz", images=np.zeros((40, 28, 28), np.uint16), labels=["a", "b"] * 20)
    >>> patches = open_patches("cells.npz")
    >>> len(patches), patches.common_size, patches.images.dtype
    (40, (28, 28), dtype('uint16'))
    >>> patches.table["label"].value_counts().to_dict()
    {'a': 20, 'b': 20}
    """
    given = path if isinstance(path, OpenRequest) else OpenRequest(path)
    request = given.but(**settings).absolute()
    return attended(lambda inner: _open(request, inner), watch)


def _open(request: OpenRequest, watch: Watch) -> PatchSet:
    # Before many images are decoded in vain.
    if request.pattern:
        check_pattern(request.pattern)
    labels: Labels | None = request.labels
    if request.labels_path is not None:
        labels = LabelsFile.read(request.labels_path, watch)
    one = format_of(request)
    if request.pattern and one.kind is not Kind.FOLDER:
        raise PatchError(
            "A pattern takes columns from the names of the images in a folder, and "
            f"{request.path} is read as {_READ_AS[one.kind]}; open it without a pattern."
        )
    source = read(one, request.but(labels=labels), watch)
    path = Path(request.path)
    patches = finish(
        source,
        name=path.name or str(path),
        origin={"kind": str(one.kind), **request.to_dict()},
        sizes=request.sizes,
        labels=labels,
        channels=request.channels,
        label_column=request.label_column,
        watch=watch,
        columns=request.columns,
    )
    said = sentence_of_fields(patches)
    patches.notes += [said] if said else []
    return patches


def reopen(origin: Mapping[str, Any], watch: Watch = UNWATCHED) -> PatchSet:
    """Open the set again that :attr:`PatchSet.origin` describes.

    Raises
    ------
    PatchError
        If it is gone, came from an unsaved layer, or now holds another number
        of patches.
    """
    request = OpenRequest.from_dict(origin)
    kind, count = origin.get("kind"), origin.get("count")
    if kind == Kind.SAMPLE:
        patches = bundled_cells()
        if request.label_column:
            patches = with_label(patches, request.label_column)
    elif kind in (None, Kind.LAYER):
        raise PatchError(
            f"The patches came from the layer {request.path!r} of a viewer, which no file "
            "holds; open that layer and load it as patches."
        )
    elif not os.path.exists(request.path):
        raise PatchError(
            f"The patches came from {request.path}, which is not there any more; bring it back "
            "or choose where it is now."
        )
    else:
        patches = open_patches(request, watch=watch)
    if count is not None and len(patches) != count:
        raise PatchError(
            f"{request.path} now holds {len(patches):,} patches instead of {count:,}; bring "
            "back the files as they were."
        )
    return patches
