"""Where annotations are kept: in the folder of a run, or, before there is one, by its patches.

A place of a patch set has a file ``patches.csv``, which says which patch an index is, so that
patches that come, go or change their order keep theirs.
"""

from __future__ import annotations

import contextlib
import hashlib
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from platformdirs import user_data_path

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.named_selections import SELECTIONS
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.content import content_of
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.identity import (
    PATCHES,
    WHERE,
    places_of,
    read_identity,
    save_identity,
)

#: Names of the files of annotations.
ANNOTATIONS, CLASSES = "annotations.csv", "annotations.json"

#: Patches of a set that lies in no file by whose pixels it is known.
_LOOKED_AT = 64

#: Bytes of a set in memory that can be looked at while a window waits.
_AT_ONCE = 2**30


@dataclass(frozen=True, eq=False)
class AnnotationPlace:
    """A folder that annotations are kept in, and the number there of each patch.

    Parameters
    ----------
    folder : Path
    numbers : ndarray of int64, shape (n,)
        What column ``index`` says of patch ``i``.
    known : DataFrame, optional
        What ``patches.csv`` has to say; None in the folder of a run, which has its own.
    """

    folder: Path
    numbers: np.ndarray
    known: pd.DataFrame | None = None

    @property
    def annotated(self) -> bool:
        """Whether annotations lie there."""
        return (self.folder / ANNOTATIONS).exists() or (self.folder / CLASSES).exists()

    @property
    def used(self) -> bool:
        """Whether annotations or selections lie there."""
        return self.annotated or (self.folder / SELECTIONS).exists()


def place_of_set(patches: PatchSet, home: Path | None = None) -> AnnotationPlace:
    """Return where annotations of a patch set are kept before there is a run.

    A set is known by the path it was opened from, or else by its pixels; a patch in it by
    its source, frame and box.
    """
    folder = (home or user_data_path("napari-patchmap", appauthor=False)) / "annotations"
    folder /= (
        f"{''.join(c if c.isalnum() else '-' for c in patches.name)[:40]}-{key_of_set(patches)}"
    )
    now, count = places_of(patches.table), len(patches)
    before = read_identity(folder / PATCHES)
    if before is None:
        return AnnotationPlace(folder, np.arange(count), now)
    shared = [name for name in WHERE if name in now and name in before]
    # Patches that nothing tells apart keep their order among themselves.
    keys = [_with_rank(table[shared]) for table in (now, before)]
    numbers = pd.MultiIndex.from_frame(keys[1]).get_indexer(pd.MultiIndex.from_frame(keys[0]))
    new = np.flatnonzero(numbers < 0)
    numbers[new] = len(before) + np.arange(len(new))
    known = pd.concat([before, now.iloc[new]], ignore_index=True)
    return AnnotationPlace(folder, numbers.astype(np.int64), known)


@contextlib.contextmanager
def prepared(place: AnnotationPlace) -> Iterator[None]:
    """Have a place that says which patches it is of, to write there.

    Raises
    ------
    AnnotationError
        If it cannot be written.
    """
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
        path = place.folder / PATCHES
        if place.known is not None:
            before = read_identity(path)
            if before is None or len(before) < len(place.known):
                save_identity(path, place.known)
        yield
    except OSError as error:
        raise AnnotationError(
            f"Annotations cannot be written to {place.folder} ({error.strerror or error}); "
            "make room there, or keep them elsewhere."
        ) from None


def _with_rank(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(rank=table.groupby([*table.columns], sort=False).cumcount())


#: What sets are known by, once it has been found out.
_keys: weakref.WeakKeyDictionary[PatchSet, str] = weakref.WeakKeyDictionary()


def is_known(patches: PatchSet) -> bool:
    """Whether the place of a set can be told without reading images from a disk."""
    held = getattr(patches.images, "array", None)
    small = isinstance(held, np.ndarray) and not isinstance(held, np.memmap)
    in_memory = small and patches.images.nbytes < _AT_ONCE
    return patches in _keys or bool(patches.origin.get("path")) or in_memory


def key_of_set(patches: PatchSet, watch: Watch = UNWATCHED) -> str:
    """Return what a set is known by; of one that lies in no file a few patches are read."""
    if patches not in _keys:
        _keys[patches] = _key(patches, watch)
    return _keys[patches]


def _key(patches: PatchSet, watch: Watch) -> str:
    origin = patches.origin
    said = [str(origin.get(name, "")) for name in ("kind", "path", "objects", "labels_layer")]
    if not origin.get("path"):
        rows = np.unique(np.linspace(0, len(patches) - 1, _LOOKED_AT).astype(np.intp))
        contents = content_of(patches.images, rows, watch)
        said += [str(len(patches)), *map(str, contents.tolist())]
    return hashlib.sha256("\n".join(said).encode("utf-8", "backslashreplace")).hexdigest()[:16]
