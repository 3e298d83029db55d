"""Objects of many fields of view: a folder of images and a folder of their labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.formats import IMAGES
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.names import composed, printable
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.folder.decode import Decoded
from napari_patchmap.patches.readers.folder.folder_decoder import try_decode
from napari_patchmap.patches.readers.folder.image_folder import find_images
from napari_patchmap.patches.readers.folder.passed_over import passed_over
from napari_patchmap.patches.readers.objects.crop_layout import cut
from napari_patchmap.patches.readers.objects.crops import check_objects
from napari_patchmap.patches.readers.objects.find_objects import Objects, find_objects
from napari_patchmap.patches.readers.objects.frames import FileFrames
from napari_patchmap.patches.readers.objects.object_files import (
    add_rows,
    is_object_file,
    try_labels,
)
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.threads import Pieces, in_threads
from napari_patchmap.patches.watch import Watch

#: Ends of file names by which programs mark the labels of an image, or the image itself.
MASK_ENDINGS = (
    "_cp_masks", "_masks", "_mask", "_labels", "_label", "_segmentation", "_seg",
    "_rois", "_roi", "_roiset", "-masks", "-mask", "-labels", "-label", ".labels", ".mask",
)  # fmt: skip
_IMAGE_ENDINGS = ("_image", "_img", "-image", "-img")


_AGAIN = "it was readable before, so bring it back"


@dataclass(frozen=True)
class _Field:
    """What is known of one field of view after a first look."""

    shape: tuple[int, int]
    dtype: np.dtype
    channel_names: tuple[str, ...]
    objects: Objects
    table: pd.DataFrame | None
    notes: Sequence[str]


def read_object_folders(root: Path, masks: Path, config: CropConfig, watch: Watch) -> Source:
    """Cut crops around the objects of every image that has labels.

    Raises
    ------
    PatchError
        If there are no pairs of files, none of them can be used, or they cannot be one set.
    """
    pairs, skipped = pair_files(root, masks, watch)
    if not pairs:
        example = f" ({skipped[0].source} {skipped[0].reason})" if skipped else ""
        raise PatchError(
            f"No image in {root} has labels of the same name in {masks}{example}; name the two "
            "files alike, for example a.tif and a_mask.tif."
        )
    paths = [(f"{root}/{image}", f"{masks}/{mask}") for image, mask in pairs]
    kept: list[int] = []
    fields: list[_Field] = []
    looks: list[_Field | str] = [""] * len(paths)

    def look(part: Pieces) -> None:
        for i in part:
            looks[i] = _look(*paths[i])

    in_threads(look, len(paths), 1, watch)
    for i, seen in enumerate(looks):
        if isinstance(seen, str):
            skipped.append(Skipped(printable(pairs[i][0]), seen))
        else:
            kept.append(i)
            fields.append(seen)
    if not fields:
        raise PatchError(
            f"None of the {len(pairs):,} pairs in {root} and {masks} can be used "
            f"({skipped[-1].source} {skipped[-1].reason}); replace them."
        )
    _check_alike(fields, [pairs[i][0] for i in kept], root)
    first, shapes = fields[0], [field.shape for field in fields]
    channels = len(first.channel_names)
    pixels = FileFrames(
        lambda i: _decoded(paths[kept[i]][0]).pixels, shapes, first.dtype, channels
    )
    planes = FileFrames(
        lambda i: _numbers(paths[kept[i]][1], shapes[i]), shapes, np.dtype(np.int64), 1
    )
    found = [field.objects for field in fields]
    check_objects(found, planes, str(masks))
    crops = cut(pixels, planes, found, config, str(masks), watch, snapshot=False)
    plane = crops.table.pop("plane").to_numpy()
    names = np.array([printable(pairs[i][0]) for i in kept], object)
    crops.table.insert(0, "frame", 0)
    crops.table.insert(0, "source", names[plane])
    read = [(name, path) for i in kept for name, path in zip(pairs[i], paths[i], strict=True)]
    source = Source(
        crops.images, crops.table, first.channel_names, notes=crops.notes, skipped=skipped,
        fingerprint=fingerprint("objects", read, **config.to_dict()),
    )  # fmt: skip
    tables = {i: one.table for i, one in enumerate(fields) if one.table is not None}
    if tables:
        wanted = pd.MultiIndex.from_arrays([plane, source.table["label_id"]])
        add_rows(source, pd.concat(tables).reindex(wanted).reset_index(drop=True))
    source.notes += [note for one in fields for note in one.notes]
    return source


def read_again(root: Path, masks: Path, image: str, mask: str) -> tuple[Decoded, np.ndarray]:
    """Read a pair of files that :func:`pair_files` found: the image, and its labels.

    Raises
    ------
    PatchError
        If one of them cannot be read any more.
    """
    decoded = _decoded(f"{root}/{image}")
    height, width = decoded.pixels.shape[:2]
    return decoded, _numbers(f"{masks}/{mask}", (height, width))


def pair_files(
    root: Path, masks: Path, watch: Watch
) -> tuple[list[tuple[str, str]], list[Skipped]]:
    """Match images with label images by the stem of their names.

    Returned are pairs of paths in the two folders, and the files of either without a partner.
    """
    images, skipped, others = find_images(root, watch)
    skipped += passed_over(root, [one for one in others if not is_object_file(one)], watch)
    same = os.path.realpath(root) == os.path.realpath(masks)
    found, _, beside = (images, [], others) if same else find_images(masks, watch)
    found = [*found, *filter(is_object_file, beside)]
    by_stem: dict[str, str] = {}
    for name in found:
        stem, bare = _stem(name), _bare(name)
        if bare != stem or is_object_file(name):
            by_stem.setdefault(bare, name)
    if same:
        marked = set(by_stem.values())
        images = [name for name in images if name not in marked]
    else:  # the very same name is a better match than one with an ending
        by_stem |= {_stem(name): name for name in reversed(found)}
    pairs, used = [], set()
    for name in images:
        stem = _stem(name)
        mask = by_stem.get(stem) or by_stem.get(without(stem, _IMAGE_ENDINGS))
        if mask is None:
            skipped.append(Skipped(printable(name), f"has no labels in {masks.name}"))
        else:
            pairs.append((name, mask))
            used.add(mask)
    instead = {_bare(mask): mask for mask in used}
    for name in found:
        if name in used or (same and name in images):
            continue
        other = instead.get(_bare(name))
        reason = (
            f"is not used, but {printable(other)}" if other else f"has no image in {root.name}"
        )
        skipped.append(Skipped(printable(name), reason))
    return pairs, skipped


def _stem(name: str) -> str:
    return composed(os.path.splitext(name)[0]).casefold().removesuffix(".ome")


def _bare(name: str) -> str:
    """Return the stem of the image that a file of labels belongs to."""
    stem = _stem(name)
    if is_object_file(name):  # QuPath adds its ending to the name of the image
        stem = without(stem, IMAGES).removesuffix(".ome")
    return without(stem, MASK_ENDINGS)


def without(stem: str, endings: Sequence[str]) -> str:
    """Return a name without the first of some endings that it has."""
    ending = next((end for end in endings if stem.endswith(end)), "")
    return stem.removesuffix(ending)


def _look(image: str, mask: str) -> _Field | str:
    """Find the objects of one field of view, or say why that cannot be done."""
    decoded = try_decode(image, "auto")
    if isinstance(decoded, UnusableError):
        return str(decoded)
    height, width = decoded.pixels.shape[:2]
    labels = try_labels(mask, (height, width))
    if isinstance(labels, UnusableError):
        return f"has labels ({os.path.basename(mask)}) of which it is said: {labels}"
    plane = labels.labels
    if plane.shape[2] > 1:
        return f"has labels in colour ({os.path.basename(mask)}); one number a pixel is needed"
    if plane.dtype.kind not in "bui":
        return f"has labels of type {plane.dtype}; whole numbers are needed"
    if plane.shape[:2] != (height, width):
        need = f"{plane.shape[1]} x {plane.shape[0]}"
        return f"is {width} x {height} pixels, but its labels are {need} (width x height)"
    objects = find_objects(plane[..., 0])
    if not len(objects):
        return f"has labels without an object ({os.path.basename(mask)})"
    known = decoded.pixels.dtype, decoded.channel_names
    return _Field((height, width), *known, objects, labels.table, labels.notes)


def _check_alike(fields: Sequence[_Field], names: Sequence[str], root: Path) -> None:
    first = fields[0]
    for field, name in zip(fields, names, strict=True):
        for what, one, other in (
            ("pixel types", first.dtype, field.dtype),
            ("channels", " + ".join(first.channel_names), " + ".join(field.channel_names)),
        ):
            if one != other:
                raise PatchError(
                    f"The images in {root} have different {what} ({one} in {names[0]}, "
                    f"{other} in {name}); move them to folders of their own."
                )


def _decoded(path: str) -> Decoded:
    decoded = try_decode(path, "auto")
    if isinstance(decoded, UnusableError):
        raise decoded.of(path, _AGAIN)
    return decoded


def _numbers(path: str, shape: tuple[int, int]) -> np.ndarray:
    found = try_labels(path, shape)
    if isinstance(found, UnusableError):
        raise found.of(path, _AGAIN)
    return found.labels
