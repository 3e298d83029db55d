"""The images of a saved run, opened again: each with its own row, wherever it is now."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError, RunError
from napari_patchmap.patches import (
    Kind,
    LoadCancelled,
    PatchSet,
    from_array,
    reopen,
)
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.readers.objects.crops import from_objects
from napari_patchmap.patches.source import pick_channels
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.gathering import (
    FoundPart,
    gather,
    moved_origin,
    say_changes,
    say_lost,
    say_nothing,
    say_unchecked,
    without_images,
)
from napari_patchmap.runs.joining import Contents, join
from napari_patchmap.runs.moved import check_extent, meant_by, moved_to, note_move, parts_of
from napari_patchmap.runs.run import Run
from napari_patchmap.writing import write_json

#: In a run folder: where images that had moved were found, the last place first.
LOCATED = "located.json"

#: Where images may be: its name, its path if it is on a disk, and what opens it.
_Place = tuple[str, str | None, Callable[[], PatchSet]]


@dataclass(frozen=True, eq=False)
class OpenLayer:
    """A layer of a viewer out of which a run may have been made."""

    name: str
    array: Any
    rgb: bool = False
    """Whether it is shown as a colour image."""
    labels: bool = False
    """Whether it is a Labels layer."""


def reopen_patches(
    run: Run,
    *,
    where: str | os.PathLike[str] | None = None,
    layers: Sequence[OpenLayer] = (),
    watch: Watch = UNWATCHED,
    tell: Callable[[str], None] = lambda sentence: None,
) -> PatchSet:
    """Open the images of a run again, row by row as the run has them.

    Patches are joined by their source, and where that has changed by what their pixels
    are. What is nowhere is marked as missing (:attr:`PatchSet.missing`), what is new is
    left out, and both are said in ``notes``.

    Parameters
    ----------
    run : Run
    where : path, optional
        Where to look first: the folder or file that they were in, a folder above it, or any
        one of the images. What is found so is remembered in the run's folder, and on this
        computer for whatever else was moved along.
    layers : sequence of OpenLayer
        What is open in the viewer, for runs that were made of layers.
    watch : Watch, optional
        See :func:`napari_patchmap.patches.open_patches`.
    tell : callable, optional
        Told what of the images that are there is not as it was when the run was made.

    Returns
    -------
    PatchSet
        With the run's table, in which the sources are those of now.

    Raises
    ------
    PatchError
        If none of them is there.
    RunError
        If ``where`` is not there, or a folder with more than 10,000 images, and more than
        three times as many as the run has.
    LoadCancelled
        If ``watch`` wants to stop.
    """
    if run.origin.get("kind") == Kind.POINTS:
        return without_images(run)
    known = run.who
    parts: list[FoundPart] = []
    troubles: list[str] = []
    lost = np.ones(len(run), bool)
    meant = [] if where is None else _meant(run, os.fspath(where))
    for place, path, opened in _places(run, meant, layers, watch):
        if not lost.any():
            break
        try:
            patches = opened()
            part = _join(run, known, patches, place, path, watch)
        except LoadCancelled:
            raise
        except RunError:  # the person means a place that is not read
            if not parts:
                raise
            continue
        except PatchError as error:
            troubles.append(str(error))
            continue
        sound = (part.joined.rows >= 0) & ~part.joined.changed
        if (part.joined.rows >= 0).any():
            parts.append(part)
            lost &= ~sound
        else:
            troubles.append(say_nothing(run, place, part.joined))
    if not parts:
        raise PatchError(troubles[0] if troubles else say_nothing(run, run.name, None))
    found, changes = gather(run, parts), say_changes(run, parts)
    found.notes[:0] = [*changes, *say_lost(run, parts), *say_unchecked(parts)]
    for sentence in changes:
        tell(sentence)
    for part in parts:
        if part.path in meant:
            _remember(run, part.path)
    return found


# -- where to look -------------------------------------------------------------------


def _meant(run: Run, where: str) -> list[str]:
    sources = run.who["source"].astype(str).unique()
    return meant_by(where, str(run.origin.get("path") or ""), sources)


def _places(
    run: Run, meant: Sequence[str], layers: Sequence[OpenLayer], watch: Watch
) -> Iterator[_Place]:
    """Go through the places where images of a run may be."""
    origin = run.origin
    paths = list(meant)
    if origin.get("kind") != Kind.LAYER and origin.get("path"):
        paths.append(str(origin["path"]))
    paths += [str(origin["file"])] if origin.get("file") else []
    paths += [*_remembered(run), *_beside(run), *moved_to(str(origin.get("path") or ""))]
    # What is open already is at hand; files come first where the person named them.
    for path in meant:
        yield path, path, partial(_open_meant, run, path, watch)
    if "layer" in origin and origin.get("kind") != Kind.SAMPLE:
        yield from _layers(run, layers, watch)
    for path in dict.fromkeys(paths[len(meant) :]):
        if path not in meant:
            yield path, path, partial(_open_file, origin, path, watch)
    if not paths:
        name = str(origin.get("path") or run.name)
        yield name, None, partial(_open_file, origin, None, watch)


def _open_meant(run: Run, path: str, watch: Watch) -> PatchSet:
    check_extent(path, len(run), watch)
    return _open_file(run.origin, path, watch)


def _open_file(origin: dict[str, Any], path: str | None, watch: Watch) -> PatchSet:
    moved = origin if path is None else moved_origin(origin, path)
    # Labels and columns are those of the run; of the files, only the pixels matter.
    plain = {**moved, "labels": None, "label_column": None, "pattern": None, "count": None}
    # Whatever else lies there now may have another size.
    plain["sizes"] = origin.get("sizes") or "resize"
    return reopen(plain, watch)


def _layers(run: Run, layers: Sequence[OpenLayer], watch: Watch) -> Iterator[_Place]:
    """Go through open layers that may hold the patches, those of the same name first."""
    origin, table, objects = run.origin, run.table, run.origin.get("labels_layer")
    images = [one for one in layers if not one.labels]
    images.sort(key=lambda one: one.name != origin["layer"])
    if objects is None:
        largest = int(table["height"].max()), int(table["width"].max())
        for one in images:
            shape = list(one.array.shape)
            if len(shape) > 2 and all(length in shape for length in largest):
                yield f"the layer {one.name}", None, partial(_open_stack, one, origin)
        return
    labels = [one for one in layers if one.labels]
    labels.sort(key=lambda one: one.name != objects)
    for field in labels:
        for one in images:
            if set(field.array.shape[-2:]) <= set(one.array.shape):
                name = f"the layers {one.name} and {field.name}"
                yield name, None, partial(_open_objects, one, field, origin, watch)


def _axes(origin: dict[str, Any]) -> str:
    return str(origin.get("axes") or "auto")


def _open_stack(one: OpenLayer, origin: dict[str, Any]) -> PatchSet:
    patches = from_array(one.array, name=one.name, axes=_axes(origin), rgb=one.rgb)
    names = origin.get("channels")
    if names is None:
        return patches
    picked = pick_channels(patches.channel_names, names, patches.name)
    images, names = patches.images.with_channels(picked), tuple(names)
    return replace(patches, images=images, channel_names=names, intensity=None)


def _open_objects(
    one: OpenLayer, field: OpenLayer, origin: dict[str, Any], watch: Watch
) -> PatchSet:
    crops = CropConfig.from_dict(origin["crops"]) if origin.get("crops") else None
    return from_objects(
        one.array, field.array, name=one.name, labels_name=field.name, axes=_axes(origin),
        config=crops, rgb=one.rgb, channels=origin.get("channels"),
        watch=watch,
    )  # fmt: skip


def _remembered(run: Run) -> list[str]:
    """Return where images of a run were found before."""
    if run.folder is None:
        return []
    try:
        paths = json.loads((run.folder / LOCATED).read_text("utf-8"))["paths"]
        return [str(path) for path in paths]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _beside(run: Run) -> list[str]:
    """Return where images may be that were moved or copied together with their run."""
    before = parts_of(str(run.origin.get("path") or ""))
    if run.folder is None or run.known is None or not before or before[-1] == ".":
        return []
    beside = [os.path.join(folder, before[-1]) for folder in run.folder.parents[:2]]
    return [path for path in beside if os.path.exists(path)]


def _remember(run: Run, path: str) -> None:
    """Note where images were found, in the run and on this computer."""
    note_move(str(run.origin.get("path") or ""), path)
    if run.folder is None:
        return
    paths = list(dict.fromkeys([os.path.abspath(path), *_remembered(run)]))
    if paths != _remembered(run):
        with contextlib.suppress(OSError):
            write_json(run.folder / LOCATED, {"paths": paths})


def _join(
    run: Run, known: pd.DataFrame, patches: PatchSet, place: str, path: str | None, watch: Watch
) -> FoundPart:
    if len(patches.channel_names) != len(run.images.channel_names):
        raise PatchError(
            f"The images in {place} have {patches.channels} channel(s), those of the run "
            f"{run.name} {len(run.images.channel_names)}; they are others."
        )
    joined = join(known, patches.table, Contents.of(patches, watch))
    return FoundPart(place, patches, joined, path)
