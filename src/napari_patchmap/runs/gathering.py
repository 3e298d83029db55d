"""One set of patches, in the order of a run, of what was found in one place or several."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.patches import Kind, PatchSet
from napari_patchmap.patches.images import ArrayImages, GatheredImages, Images
from napari_patchmap.patches.intensity import Intensity
from napari_patchmap.patches.pictures import missing_picture
from napari_patchmap.runs.identity import PATCHES, WHERE, name_of
from napari_patchmap.runs.joining import Joined
from napari_patchmap.runs.run import Run


@dataclass(frozen=True)
class FoundPart:
    """Patches that were found in one place, and which rows of the run they are."""

    where: str
    patches: PatchSet
    joined: Joined
    path: str | None = None


def without_images(run: Run) -> PatchSet:
    """Return the rows of a run none of whose images is there."""
    kind, table = run.images, run.table
    size = kind.size or (int(table["height"].median()), int(table["width"].median()))
    eight_bits = Intensity.identity(len(kind.channel_names))
    nobody = _stand_in(size, np.dtype(np.uint8), eight_bits)
    return PatchSet(
        images=nobody.picked(np.zeros(len(run), np.intp)),
        table=table.copy(),
        channel_names=kind.channel_names,
        name=run.name,
        origin=run.origin,
        fit=kind.fit,
        intensity=eight_bits,
        label_from=run.label_from or str(run.origin.get("label_column") or ""),
        missing=np.arange(len(run)),
    )


def say_missing(patches: PatchSet) -> str:
    """Say how many images of a run are not there, "" if all are."""
    lost, count = len(patches.missing), len(patches)
    if not lost or not patches.pictured:
        return ""
    if lost == count:
        return "None of the images of this run is there; its map and its table are."
    return f"{lost:,} of {count:,} images of this run {_are(lost)} not there; {_stay(lost)}"


def moved_origin(origin: dict[str, Any], path: str) -> dict[str, Any]:
    """Describe the images of an origin as they lie in another place."""
    before, kind = str(origin.get("path") or ""), origin.get("kind")
    if kind == Kind.LAYER and "labels_layer" not in origin:
        # Pixels that were in a layer only: whatever file they were saved in.
        return {**origin, "kind": str(Kind.STACK), "path": path}
    if kind == Kind.STACK and os.path.isdir(path):  # it is looked for in that folder
        inside = os.path.join(path, os.path.basename(before))
        path = inside if os.path.exists(inside) else path
    moved = {**origin, "path": path}
    objects = str(origin.get("objects") or "")
    if objects and path != before:
        way = os.path.relpath(
            objects, before
        )  # inside, as the labels of a plate are, or beside
        beside = os.path.normpath(os.path.join(path, way))
        known = os.path.exists(beside) or not way.startswith(os.pardir)
        moved["objects"] = beside if known else objects
    return moved


def gather(run: Run, parts: Sequence[FoundPart]) -> PatchSet:
    """Make one set, in the order of the run, of what was found."""
    part, row = _shared_out(len(run), parts)
    most, images = parts[_main(part)], _images(run, parts, part, row)
    # Labels that come from where the images lie may have another name there now.
    there = "" if run.origin.get("labels") else most.patches.label_from
    return replace(
        most.patches,
        images=images,
        table=_table(run, parts, part, row),
        name=run.name,
        origin=_origin(run, most),
        fit=run.images.fit or (None if images.uniform else "resize"),
        intensity=run.images.intensity,
        notes=list(most.patches.notes),
        label_from=run.label_from or str(run.origin.get("label_column") or there),
        missing=np.flatnonzero(part < 0),
    )


def _shared_out(count: int, parts: Sequence[FoundPart]) -> tuple[np.ndarray, np.ndarray]:
    """Say in which part each patch of the run is taken from, -1 for none, and which it is."""
    part, row = np.full(count, -1), np.full(count, -1)
    for sure in (True, False):  # what is known by its name only comes last
        for k, one in enumerate(parts):
            joined = one.joined
            same = one.patches.dtype == parts[0].patches.dtype
            here = (part < 0) & (joined.rows >= 0) & (joined.changed != sure) & same
            part[here], row[here] = k, joined.rows[here]
    return part, row


def _main(part: np.ndarray) -> int:
    """Return the part from which most patches are taken."""
    return int(np.bincount(part[part >= 0]).argmax()) if (part >= 0).any() else -1


def _images(run: Run, parts: Sequence[FoundPart], part: np.ndarray, row: np.ndarray) -> Images:
    images = [one.patches.images for one in parts]
    nowhere = part < 0
    if len(images) == 1 and not nowhere.any():
        whole = len(images[0]) == len(row) and np.array_equal(row, np.arange(len(row)))
        return images[0] if whole else images[0].picked(row)
    first = parts[0].patches
    images.append(_stand_in(first.common_size, first.dtype, run.images.intensity))
    part, row = np.where(nowhere, len(parts), part), np.where(nowhere, 0, row)
    return GatheredImages(images, part, row)


def _stand_in(size: tuple[int, int], dtype: np.dtype, intensity: Intensity) -> Images:
    """Return the one image, as bright as others are, that stands for those that are nowhere."""
    low, high = np.array(intensity.low), np.array(intensity.high)
    picture = low + missing_picture(*size)[..., None] * (high - low)
    return ArrayImages(picture.astype(dtype)[None])


def _table(
    run: Run, parts: Sequence[FoundPart], part: np.ndarray, row: np.ndarray
) -> pd.DataFrame:
    """Return the run's table with the places that its patches have now."""
    # What is as it was is shared with the run: a copy of a million rows takes much memory.
    table = run.table.copy(deep=False)
    for column in WHERE:
        if column not in table:
            continue
        before = table[column].to_numpy()
        values = before.copy()
        for k, one in enumerate(parts):
            here = part == k
            if column in one.patches.table:
                values[here] = one.patches.table[column].to_numpy()[row[here]]
        if not np.array_equal(values, before):
            table[column] = values
    return table


def _origin(run: Run, part: FoundPart) -> dict[str, Any]:
    """Describe where most of the images are now, with the names that layers have now."""
    if part.path is not None:
        return moved_origin(run.origin, part.path)
    origin = dict(run.origin)
    if "layer" in origin and "layer" in part.patches.origin:
        origin["layer"] = part.patches.origin["layer"]
        origin["planes"] = len(part.patches) + len(part.patches.skipped)
        if "labels_layer" in part.patches.origin:
            origin["labels_layer"] = part.patches.origin["labels_layer"]
    return origin


# -- what is said ----------------------------------------------------------------------


def say_changes(run: Run, parts: Sequence[FoundPart]) -> list[str]:
    """Say what is not as it was when the run was made, a sentence each."""
    part, _ = _shared_out(len(run), parts)
    main, count, known = _main(part), len(run), run.who
    notes = []
    joined, where = parts[main].joined, parts[main].where
    moved, changed = (part == main) & joined.moved, (part == main) & joined.changed
    if moved.any():
        first = int(np.flatnonzero(moved)[0])
        before = str(known["source"].iloc[first])
        now = str(parts[main].patches.table["source"].iloc[int(joined.rows[first])])
        how = "by their content" if joined.checked else "by their numbers alone"
        example = f" ({before} is {now} now)" if before != now else f" in {now}"
        notes.append(
            f"{_some(moved, count)} {_have(moved)} another name or place{example}; found {how}."
        )
    if changed.any():
        notes.append(
            f"{_some(changed, count)} {_have(changed)} other pixels than when the map was made "
            f"(first {_first(known, changed)}); shown as they are now."
        )
    used = np.zeros(len(parts[main].patches), bool)
    used[joined.rows[joined.rows >= 0]] = True
    new = int((~used).sum())
    if new:
        notes.append(
            f"{new:,} image{'s' if new > 1 else ''} in {where} {_are(new)} not part of this "
            "run and skipped."
        )
    return notes


def say_lost(run: Run, parts: Sequence[FoundPart]) -> list[str]:
    """Say what is missing where most of the images are."""
    part, _ = _shared_out(len(run), parts)
    lost, known, most = part < 0, run.who, parts[_main(part)]
    if not lost.any():
        return []
    damaged = {one.source for one in most.patches.skipped}
    unread = ", or cannot be read" if known["source"][lost].isin(damaged).any() else ""
    said = (
        f"{_some(lost, len(run))} {_are(lost.sum())} not in {most.where}{unread} (first "
        f"{_first(known, lost)}); {_stay(lost.sum())}"
    )
    return [said]


def say_unchecked(parts: Sequence[FoundPart]) -> list[str]:
    """Say so if nothing but names and numbers tells which image is whose."""
    if any(one.joined.checked for one in parts):
        return []
    said = (
        f"This run has no sound {PATCHES}, which tells what the pixels of its images are (it "
        "was saved by an older version, or the file was damaged): they were joined by their "
        "names and numbers alone."
    )
    return [said]


def say_nothing(run: Run, where: str, joined: Joined | None) -> str:
    """Say that none of the images of a run is in a place."""
    known = run.who
    if joined is not None and not joined.checked:
        return (
            f"{where} holds other images, or another number of them, than the {len(run):,} of "
            f"the run {run.name}, which has no sound {PATCHES} to tell them apart; bring the "
            "images back as they were, or say where they are now."
        )
    return (
        f"None of the {len(run):,} images of the run {run.name} is in {where} (first "
        f"{known['source'].iloc[0]}); say where they are now."
    )


def _some(which: np.ndarray, count: int) -> str:
    return f"{int(which.sum()):,} of {count:,} images of this run"


def _first(known: pd.DataFrame, which: np.ndarray) -> str:
    return name_of(known, int(np.flatnonzero(which)[0]))


def _stay(count: int) -> str:
    if count > 1:
        return "their points stay, their pictures are marked as missing."
    return "its point stays, its picture is marked as missing."


def _are(count: int) -> str:
    return "are" if count > 1 else "is"


def _have(which: np.ndarray) -> str:
    return "have" if which.sum() > 1 else "has"
