"""The planes of a microscope's file as patches: of one of its scenes, or of all as one set."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError, SingleImageError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.axes import (
    channel_axis,
    check_axes,
    check_extent,
    default_names,
    lead_axes,
    settle_axes,
)
from napari_patchmap.patches.box_table import IMAGE, box_table
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.images import GatheredImages, Images
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.chunked import ChunkedImages
from napari_patchmap.patches.readers.microscope.makers import (
    is_microscope,
    number_of,
    open_microscope,
)
from napari_patchmap.patches.readers.microscope.microscope_file import (
    MicroscopeFile,
    Scene,
    SceneArray,
)
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source, pick_channels
from napari_patchmap.patches.watch import Watch


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a path is a file of one of the makers."""
    return is_microscope(path)


def read(request: OpenRequest, watch: Watch) -> Source:
    """Open the planes of the scene ``request.key``, or of all scenes that are of one kind.

    No pixels are read yet. Scenes of other kinds than most are left out.

    Raises
    ------
    PatchError
        If the file is damaged, or holds no images.
    SingleImageError
        If it holds one single plane, unless its axes were given: then a person wants it.
    UnclearAxesError
        If its axes are ambiguous, or not those that were given.
    UnclearArrayError
        If there is no scene of that name.
    MissingPackageError
        Without the maker's reader.
    """
    path = Path(request.path)
    file = open_microscope(path)
    with decoding(path, "cannot be read", "copy or export it again"):
        return _read(file, path, request)


def single_axes(path: Path) -> str:
    """Return the axes of a file that holds one plane, and so is one patch; else ""."""
    try:
        scenes = open_microscope(path).scenes
    except PatchError:  # who reads it says what is wrong
        return ""
    return scenes[0].axes if len(scenes) == 1 and not scenes[0].lead else ""


def named_channels(scene: Scene, letters: str) -> tuple[str, ...]:
    """Name the channels of a scene whose axes are ``letters``: as it says, or by numbers."""
    at = letters.find(channel_axis(letters) or "?")
    count = 1 if at < 0 else scene.shape[at]
    own = at < 0 or scene.axes[at] in "CS"
    if own and len(scene.channel_names) == count:
        return scene.channel_names
    return default_names(count, np.dtype(np.uint16), last=False)


def _read(file: MicroscopeFile, path: Path, request: OpenRequest) -> Source:
    skipped = list(file.left_out)
    if request.key:
        numbers = [number_of(file, request.key)]
    else:
        numbers, unlike = _of_one_kind(file.scenes)
        skipped += unlike
    first = file.scenes[numbers[0]]
    letters, notes = _letters(first, request.axes)
    arrays = [SceneArray(file, number) for number in numbers]
    parts: list[Images] = []
    for number, array in zip(numbers, arrays, strict=True):
        scene = file.scenes[number]
        check_numbers(scene.dtype, math.prod(scene.shape))
        check_extent(scene.shape, letters)
        name = f"{scene.name} in {path}" if len(file.scenes) > 1 else str(path)
        parts.append(ChunkedImages(array, letters, name))
    images = GatheredImages.joined(parts)
    if len(images) == 1 and request.axes == "auto":
        height, width = images.sizes[0].tolist()
        kind = f"{images.channels} channels" if images.channels > 1 else "one channel"
        raise SingleImageError(
            f"{path} is one single image ({width} x {height}, {kind}), not patches; have them "
            "cut out of it, around the objects of its label image (--objects) or as tiles "
            "(--tile-size), or choose the folder that holds it and the others.",
            ("tiles", "objects"),
        )
    table = box_table(path.name, np.arange(len(images)), images.sizes)
    names = [file.scenes[number].name for number in numbers]
    if len(file.scenes) > 1:
        table[IMAGE] = np.repeat(np.array(names, object), [len(part) for part in parts])
    if len(numbers) > 1:
        notes.append(
            f"{len(numbers):,} images of {path.name} were read as one set; the column {IMAGE} "
            "says which."
        )
    known = {file.scenes[number].mpp for number in numbers}
    source = Source(
        images, table, named_channels(first, letters), notes=notes, skipped=skipped,
        mpp=known.pop() if len(known) == 1 else None,
    )  # fmt: skip
    missing = np.concatenate([_missing(array, letters) for array in arrays])
    left_out = _leave_out(source, missing, request.channels, path)
    source.fingerprint = fingerprint(
        "planes", [(path.name, path)], axes=letters, images=names, missing=left_out
    )
    return source


def _missing(array: SceneArray, letters: str) -> np.ndarray:
    """Return which channels of which patches the file does not hold, ``(n, channels)``."""
    lead = lead_axes(letters)
    own = [i for i, letter in enumerate(letters) if letter == channel_axis(letters)]
    inside = [i for i in range(array.ndim) if i not in lead + own]
    missing = array.missing().any(axis=tuple(inside), keepdims=True)
    shape = [1 if i in inside else length for i, length in enumerate(array.shape)]
    missing = np.broadcast_to(missing, shape).transpose(lead + own + inside)
    return missing.reshape(-1, math.prod(array.shape[i] for i in own))


def _leave_out(
    source: Source, missing: np.ndarray, channels: Sequence[str] | None, path: Path
) -> list[int]:
    """Leave out the patches of which a channel that is wanted is missing; return which."""
    known = source.channel_names
    wanted = pick_channels(known, channels or known, path.name)
    missing = missing[:, wanted]
    rows = np.flatnonzero(missing.any(axis=1)).tolist()
    if len(rows) == len(missing):
        raise UnusableError(
            "holds no plane of which all channels are there", "choose those that are"
        )
    reasons, of_some = {}, set[str]()
    for row in rows:
        names = [known[wanted[k]] for k in np.flatnonzero(missing[row])]
        reasons[row] = "is missing in the file"
        if len(names) < len(wanted):
            reasons[row] = f"{', '.join(names)} missing in the file"
            of_some.update(names)
    source.leave_out(reasons)
    if of_some:
        source.notes.append(
            f"Patches without {', '.join(sorted(of_some))} were left out; to keep them, choose "
            "the other channels (--channels)."
        )
    return rows


def _of_one_kind(scenes: Sequence[Scene]) -> tuple[list[int], list[Skipped]]:
    """Return which scenes are of the kind that most are of, and the others."""
    kinds = [(one.axes, one.dtype, one.channels, one.channel_names) for one in scenes]
    most = Counter(kinds).most_common(1)[0][0]
    skipped = [
        Skipped(one.name, f"is of another kind ({_words(one)}) than most images of its file")
        for one, kind in zip(scenes, kinds, strict=True)
        if kind != most
    ]
    return [k for k, kind in enumerate(kinds) if kind == most], skipped


def _words(scene: Scene) -> str:
    names = ", ".join(scene.channel_names[:3]) or f"{scene.channels} channel(s)"
    return f"axes {scene.axes}, {names}, {scene.dtype}"


def _letters(scene: Scene, axes: str) -> tuple[str, list[str]]:
    """Decide the axes of a scene, and note what the user should know of it."""
    if axes != "auto":
        return check_axes(axes, len(scene.shape)), []
    return settle_axes(scene.axes, scene.shape, volume=True, stains=True)
