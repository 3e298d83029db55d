"""NPZ files: MedMNIST's train, val and test arrays, or plain images and labels."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError, UnclearAxesError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.axes import channel_axis, check_extent
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.readers.array_columns import (
    MOST_NAMES,
    Unread,
    add_columns,
    images_key,
    is_column,
)
from napari_patchmap.patches.readers.arrays import described, plain_axes
from napari_patchmap.patches.readers.npz.npz_member import Member, joined
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch

_SPLITS = ("train", "val", "test")


def read(request: OpenRequest, watch: Watch) -> Source:
    """Read the images and every column of an .npz file.

    Images are ``request.key``, else ``images``, or ``train_images``, ``val_images`` and
    ``test_images`` joined with a column ``split``, or the only array with three axes or more;
    ``labels`` are text, or whole numbers that ``class_names`` may name. Every
    other array with one value a patch becomes a column. Large images stay in
    the file until they are wanted.

    Raises
    ------
    PatchError
        If the file is damaged or would run code, or its arrays do not fit.
    """
    path = Path(request.path)
    with decoding(path, "is not a complete .npz file", "copy or save it again"):
        members = _members(path)
        splits = [s for s in _SPLITS if f"{s}_images" in members and request.key is None]
        keys = [f"{s}_images" for s in splits] or [images_key(members, path, request.key)]
        parts = [members.pop(key) for key in keys]
        names = members.pop("class_names", None)
        source = _images(path, parts, request, watch)
        # Splits are joined along their first axis, so that it numbers their images.
        counts = [part.shape[0] for part in parts] if splits else [len(source.table)]
        arrays = _columns(members, splits, counts, watch)
        if splits:
            arrays = _joined(arrays, splits, counts, path)
            arrays["split"] = np.repeat(splits, counts)
        known = None if names is None or names.nbytes > MOST_NAMES else names.read(watch)
        add_columns(source, arrays, known, str(path))
    return source


def _columns(
    members: dict[str, Member], splits: list[str], counts: list[int], watch: Watch
) -> dict[str, np.ndarray | Unread]:
    """Read the arrays beside the images that may be columns.

    The others, which may unpack to any size, are kept by their shape alone.
    """
    arrays: dict[str, np.ndarray | Unread] = {}
    for key, member in members.items():
        member.refuse_objects()
        count, stem = sum(counts), key
        for split, some in zip(splits, counts, strict=False):
            if key.startswith(f"{split}_"):
                count, stem = some, key.removeprefix(f"{split}_")
        if is_column(stem, member.shape, member.dtype.itemsize, count):
            arrays[key] = member.read(watch)
        else:
            arrays[key] = Unread(member.shape)
    return arrays


def _members(path: Path) -> dict[str, Member]:
    with path.open("rb") as start:
        if start.read(6) == b"\x93NUMPY":
            raise PatchError(f"{path} is a single NumPy array; rename it to end in .npy.")
    members = {}
    with zipfile.ZipFile(path) as file:
        for info in file.infolist():
            if info.filename.endswith(".npy"):
                with file.open(info) as stream:
                    member = Member(path, info, stream)
                members[member.key] = member
    return members


def _images(path: Path, parts: list[Member], request: OpenRequest, watch: Watch) -> Source:
    """Open the images of all parts as one."""
    first = parts[0]
    if any((p.shape[1:], p.dtype) != (first.shape[1:], first.dtype) for p in parts):
        raise PatchError(
            f"The arrays {', '.join(part.key for part in parts)} of {path} have different "
            "shapes or pixel types; save images of one size and type."
        )
    filled = [part for part in parts if math.prod(part.shape)]
    check_numbers(first.dtype, len(filled))
    if not first.shape:
        raise PatchError(f"{path} holds a single number as {first.key!r}; save images there.")
    shape = (sum(part.shape[0] for part in parts), *first.shape[1:])
    letters = plain_axes(shape, path.name, request.axes)
    check_extent(shape, letters)
    if len(parts) > 1 and letters[0] in ("Y", "X", channel_axis(letters)):
        raise UnclearAxesError(
            f"The arrays of {path} are joined along their first axis, which must number "
            f"patches; set axes to one that does not begin with {letters[0]}."
        )
    images = joined([part.images(letters, watch) for part in filled])
    source = described(images, letters, path.name, watch)
    if images.sequential:
        chosen = {"key": request.key} if request.key else {}
        source.fingerprint = fingerprint("npz", [(path.name, path)], axes=letters, **chosen)
    return source


def _joined(
    arrays: dict[str, np.ndarray | Unread], splits: list[str], counts: list[int], path: Path
) -> dict[str, np.ndarray | Unread]:
    """Join ``train_labels``, ``val_labels``, ... to ``labels``; so with every other name.

    Raises
    ------
    PatchError
        If an array does not match its images.
    """
    columns: dict[str, np.ndarray | Unread] = {}
    for stem in {
        key.removeprefix(f"{splits[0]}_") for key in arrays if key.startswith(f"{splits[0]}_")
    }:
        keys = [f"{split}_{stem}" for split in splits]
        if not all(key in arrays for key in keys):
            missing = next(key for key in keys if key not in arrays)
            raise PatchError(f"{path} has {keys[0]!r} but no {missing!r}; add it.")
        for key, split, count in zip(keys, splits, counts, strict=True):
            if (length := arrays[key].shape[:1]) != (count,):
                raise PatchError(
                    f"{path} has {sum(length):,} {key} for {count:,} {split}_images; they "
                    "must be as many."
                )
        parts = [arrays.pop(key) for key in keys]
        read = [part for part in parts if not isinstance(part, Unread)]
        if len(read) < len(parts):
            columns[stem] = Unread((sum(counts), *parts[0].shape[1:]))
            continue
        try:
            columns[stem] = np.concatenate(read)
        except ValueError:
            raise PatchError(
                f"The arrays {', '.join(keys)} of {path} have different shapes; save images of "
                "one size."
            ) from None
    # What belongs to no split is said to be left out, as beside a single stack.
    rest = {key: left for key, left in arrays.items() if isinstance(left, Unread)}
    return rest | columns
