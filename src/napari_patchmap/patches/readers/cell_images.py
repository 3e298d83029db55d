"""An image of each cell in AnnData, as scPortrait keeps them (.h5sc, .h5ad, .zarr)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError, UnclearArrayError
from napari_patchmap.patches.anndata_columns import column_values
from napari_patchmap.patches.anndata_file import AnnDataFile
from napari_patchmap.patches.anndata_nodes import Nodes
from napari_patchmap.patches.images import as_images
from napari_patchmap.patches.labels.choice import choose_label
from napari_patchmap.patches.labels.meanings import CLASSES, named
from napari_patchmap.patches.readers.array_columns import add_columns, texts
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch

#: What opens the images of one array, as a request wants them.
OpenArray = Callable[[Any, OpenRequest], Source]

#: What scPortrait calls the images: (cell, channel, height, width).
IMAGES = "single_cell_images"

#: How it marks a channel that is a mask of a segmentation.
_MASK = "mask"


def has_images(nodes: Nodes) -> bool:
    """Whether AnnData has what may be an image of each cell."""
    return bool(_stacks(nodes))


def read_cells(
    nodes: Nodes, path: Path, request: OpenRequest, open_array: OpenArray, watch: Watch
) -> Source:
    """Open the images of cells in ``obsm``; the columns of ``obs`` become the table.

    Masks among the channels are left out unless ``request.channels`` names what is wanted.

    Parameters
    ----------
    nodes : Nodes
        Of the store, which is open.
    path : Path
    request : OpenRequest
    open_array : callable
        Takes an array of the store and the request with its axes.
    watch : Watch

    Raises
    ------
    PatchError
        If there are no images, or the file leads to others.
    """
    for part in ("obs", "obsm", "var", "uns"):
        nodes.check(part)
    array = _images(nodes, path, request.key)
    axes = request.axes if request.axes != "auto" or array.ndim != 4 else "NCYX"
    source = open_array(array, request.but(axes=axes))
    known = AnnDataFile(path, nodes)
    if len(known) != len(source.table):
        raise PatchError(
            f"{path} has {len(known):,} rows in obs and {len(source.table):,} images; they "
            "must be as many."
        )
    source.names = known.names
    table, notes = known.obs(watch)
    columns = {str(name): values.to_numpy() for name, values in table.items()}
    if known.index_name:
        columns.setdefault(known.index_name, np.array(known.names, object))
    add_columns(source, columns, None, str(path), "obs")
    classes = [name for name in named(columns, CLASSES) if table[name].notna().any()]
    if "label" not in source.table and classes:
        source.table, source.label_from = choose_label(source.table, classes[0], "", path.name)
    source.notes += notes
    _name_channels(source, array, nodes)
    if request.channels is None:
        _leave_out_masks(source, array, nodes)
    return source


def _images(nodes: Nodes, path: Path, wanted: str | None) -> Any:
    obsm, stacks = nodes.member("obsm") or {}, _stacks(nodes)
    key = wanted.removeprefix("obsm/") if wanted else IMAGES
    if key in stacks:
        return obsm[key]
    if wanted and stacks:
        raise UnclearArrayError(
            f"{path} has no images {key!r} in obsm; choose among {', '.join(stacks)} (--key).",
            stacks,
        )
    if len(stacks) == 1:
        return obsm[stacks[0]]
    if stacks:
        raise UnclearArrayError(
            f"{path} has several arrays that may be images of cells, {', '.join(stacks)}; "
            "choose one (--key).",
            stacks,
        )
    listed = ", ".join(["X", *obsm] if "X" in nodes.root else obsm) or "nothing else"
    raise PatchError(
        f"{path} is AnnData without images of cells (no obsm[{IMAGES!r}], but {listed}); open "
        "the images it was made from, and give this file as their features (--features)."
    )


def _stacks(nodes: Nodes) -> list[str]:
    """Name what may be an image of each cell; links, which may lead anywhere, are refused."""
    found = []
    for key in nodes.member("obsm") or ():
        array = nodes.member(f"obsm/{key}")
        if len(getattr(array, "shape", ())) in (3, 4):
            found.append(key)
    return found


def _name_channels(source: Source, array: Any, nodes: Nodes) -> None:
    count = as_images(source.images).channels
    names = _said(array, nodes, "channel_names", "channels")
    if len(names) == count == len(set(names)):
        source.channel_names = tuple(names)


def _leave_out_masks(source: Source, array: Any, nodes: Nodes) -> None:
    """Leave out the channels that are masks, and say so."""
    images = as_images(source.images)
    kinds = _said(array, nodes, "channel_mapping", "channel_mapping")
    if len(kinds) != images.channels:
        first = int(np.ravel(array.attrs.get("n_masks", 0))[0])
        kinds = [_MASK if i < first else "" for i in range(images.channels)]
    kept = [i for i, kind in enumerate(kinds) if kind != _MASK]
    if not kept or len(kept) == len(kinds):
        return
    masks = [name for i, name in enumerate(source.channel_names) if i not in kept]
    source.images = images.with_channels(kept)
    source.channel_names = tuple(source.channel_names[i] for i in kept)
    source.notes.append(
        f"The masks among the channels were left out ({', '.join(masks)}); name the channels "
        "to have them too (--channels)."
    )


def _said(array: Any, nodes: Nodes, name: str, column: str) -> Sequence[str]:
    """Return what is said of each channel, beside the images, in uns, or in var."""
    if name in array.attrs:
        return texts(array.attrs[name])
    for place in (f"uns/{IMAGES}/{name}", f"var/{column}"):
        found = nodes.member(place)
        if found is not None:
            known = column_values(nodes, found, place)
            return ["" if one is None else str(one) for one in known]
    return []
