"""The one door: whatever DATA is, it comes out as a :class:`PatchSet`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.files.folder import read_folder
from napari_patchmap.patches.fit import FITS, Fit
from napari_patchmap.patches.kind import kind_of
from napari_patchmap.patches.labels.choice import with_label
from napari_patchmap.patches.labels.join import Labels, LabelsFile
from napari_patchmap.patches.labels.patterns import check_pattern
from napari_patchmap.patches.objects.crops import CropConfig
from napari_patchmap.patches.objects.reader import open_objects
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.patches.sample import bundled_cells
from napari_patchmap.patches.slides.reader import read_slides
from napari_patchmap.patches.slides.tile_config import TileConfig
from napari_patchmap.patches.source import Progress, Source, Watch, add_pattern_columns, finish
from napari_patchmap.patches.stacks.npz import read_npz
from napari_patchmap.patches.stacks.stack import read_npy, read_tiff_stack
from napari_patchmap.patches.stacks.zarr_store import read_zarr
from napari_patchmap.patches.threads import attended

#: Kinds without a file a patch; the others are stacks.
_NAMELESS = {"slides": "slides", "objects": "objects of label images"}


def open_patches(
    path: str | os.PathLike[str],
    *,
    sizes: Fit | None = None,
    labels: Labels | None = None,
    axes: str = "auto",
    pattern: str | None = None,
    channels: Sequence[str] | None = None,
    label_column: str | None = None,
    tiles: TileConfig | None = None,
    objects: str | os.PathLike[str] | None = None,
    crops: CropConfig | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> PatchSet:
    """Open patches from a folder or a file.

    Parameters
    ----------
    path : path
        A folder of PNG, JPEG or TIFF images (sub-folders are labels), a TIFF
        stack, a slide (SVS or TIFF pyramid), a folder of slides, or a NumPy file
        (.npy, or .npz as MedMNIST lays it out or with ``images`` and ``labels``).
    sizes : {"resize", "crop", "pad"}, optional
        How images of different sizes are brought to one; required if they differ.
    labels : path of a CSV file, or sequence of values, optional
        Matched by file name (also of the slide or stack that many patches come
        from), by a column ``index``, or by order.
    axes : str
        One letter an axis, such as ``"NCYX"`` or ``"TZYX"``: Y and X are the
        image, C the channels, every other letter numbers patches. ``"auto"``
        takes them from the metadata, or from the shape if there are none. In
        a folder, the axes of each TIFF file.
    pattern : str, optional
        Takes columns from the names of the files in a folder of images: a template
        such as ``"{label}_{patient}_{}.png"``, or a regular expression with named
        groups.
    channels : sequence of str, optional
        The channels to keep, by name; all when None.
    label_column : str, optional
        The column that is the label: of ``labels``, of ``pattern``, or of the folders
        (``folder``, ``split``). When None it is found.
    tiles : TileConfig, optional
        How slides are cut into tiles; also says that ``path`` holds slides.
    objects : path, optional
        A label image, or a folder of them: patches are crops around its objects.
    crops : CropConfig, optional
        How the crops around objects are made.
    progress : callable, optional
        Called now and then with how many of how many images are done, in the
        calling thread.
    should_stop : callable, optional
        Loading is cancelled when it returns True.

    Returns
    -------
    PatchSet
        Its ``skipped`` lists the images that could not be used.

    Raises
    ------
    PatchError
        One sentence that names what is wrong and the remedy.
    LoadCancelled
        If ``should_stop`` said so.
    """
    if sizes is not None and sizes not in FITS:
        raise PatchError(f"Sizes can be handled by {', '.join(FITS)}, not {sizes!r}.")
    return attended(
        lambda watch: _open(
            path, watch, sizes=sizes, labels=labels, axes=axes, pattern=pattern,
            channels=channels, tiles=tiles, objects=objects, crops=crops,
            label_column=label_column,
        ),
        Watch(progress, should_stop),
    )  # fmt: skip


def _open(
    path: str | os.PathLike[str],
    watch: Watch,
    *,
    sizes: Fit | None,
    labels: Labels | None,
    axes: str,
    pattern: str | None,
    channels: Sequence[str] | None,
    tiles: TileConfig | None,
    objects: str | os.PathLike[str] | None,
    crops: CropConfig | None,
    label_column: str | None,
) -> PatchSet:
    # Not resolved: a linked folder keeps the name that people gave it.
    path = Path(os.path.abspath(os.path.expanduser(path)))
    # Before many images are decoded in vain.
    if pattern:
        check_pattern(pattern)
    labels_file = None
    if isinstance(labels, (str, os.PathLike)):
        labels_file = LabelsFile.read(labels, watch)
    objects = None if objects is None else Path(os.path.abspath(os.path.expanduser(objects)))
    kind = kind_of(path, tiles, objects)
    if kind == "folder":
        source = _read_folder(path, axes, pattern, labels_file, watch)
    elif pattern:
        raise PatchError(
            f"A pattern takes columns from the names of the images in a folder, and {path} is "
            f"read as {_NAMELESS.get(kind, 'a stack')}; open it without a pattern."
        )
    else:
        source = _read(kind, path, axes, tiles, objects, crops, watch)
    origin = {
        "kind": kind,
        "path": str(path),
        "sizes": sizes,
        # Values cannot be opened again; a file can.
        "labels": os.path.abspath(labels_file.path) if labels_file else None,
        "axes": axes,
        "pattern": pattern,
        "channels": None if channels is None else list(channels),
        "tiles": None if tiles is None else tiles.to_dict(),
        "objects": None if objects is None else str(objects),
        "crops": None if crops is None else crops.to_dict(),
    }
    if label_column:
        origin["label_column"] = label_column
    return finish(
        source,
        name=path.name or str(path),
        origin=origin,
        sizes=sizes,
        labels=labels_file or labels,
        channels=channels,
        label_column=label_column,
        watch=watch,
    )


def reopen(
    origin: dict[str, Any],
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> PatchSet:
    """Open the set again that :attr:`PatchSet.origin` describes.

    Raises
    ------
    PatchError
        If it is gone, came from an unsaved layer, or now holds another number
        of patches.
    """
    kind, path, count = origin.get("kind"), origin.get("path", ""), origin.get("count")
    if kind == "sample":
        patches = bundled_cells()
        if origin.get("label_column"):
            patches = with_label(patches, origin["label_column"])
    elif kind in ("folder", "stack", "npz", "zarr", "slides", "objects"):
        if not os.path.exists(path):
            raise PatchError(
                f"The patches came from {path}, which is not there any more; bring it back or "
                "choose where it is now."
            )
        patches = open_patches(
            path,
            sizes=origin.get("sizes"),
            labels=origin.get("labels"),
            axes=origin.get("axes", "auto"),
            pattern=origin.get("pattern"),
            channels=origin.get("channels"),
            label_column=origin.get("label_column"),
            tiles=TileConfig.from_dict(origin["tiles"]) if origin.get("tiles") else None,
            objects=origin.get("objects"),
            crops=CropConfig.from_dict(origin["crops"]) if origin.get("crops") else None,
            progress=progress,
            should_stop=should_stop,
        )
    else:
        raise PatchError(
            f"The patches came from the layer {path!r} of a viewer, which no file holds; open "
            "that layer and load it as patches."
        )
    if count is not None and len(patches) != count:
        raise PatchError(
            f"{path} now holds {len(patches):,} patches instead of {count:,}; bring back the "
            "files as they were."
        )
    return patches


def _read(
    kind: str,
    path: Path,
    axes: str,
    tiles: TileConfig | None,
    objects: Path | None,
    crops: CropConfig | None,
    watch: Watch,
) -> Source:
    """Read whatever is no folder of images."""
    if objects is not None:
        return open_objects(path, objects, axes, crops or CropConfig(), watch)
    if kind == "slides":
        return read_slides(path, tiles, watch)
    if kind == "zarr":
        return read_zarr(path, axes, watch)
    if kind == "npz":
        return read_npz(path, axes, watch)
    read_stack = read_npy if path.suffix.lower() == ".npy" else read_tiff_stack
    return read_stack(path, axes, watch)


def _read_folder(
    root: Path, axes: str, pattern: str | None, labels: LabelsFile | None, watch: Watch
) -> Source:
    """Read a folder of images, if labels and pattern fit some of them."""

    def check(names: list[str]) -> None:
        if pattern:
            check_pattern(pattern, names, str(root))
        if labels is not None:
            labels.check(names, root.name or str(root), watch)

    source = read_folder(root, axes, watch, check)
    if pattern:
        add_pattern_columns(source, pattern, str(root), watch)
    return source
