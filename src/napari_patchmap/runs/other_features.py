"""More like this by the features of another run of the same patches."""

from __future__ import annotations

import numpy as np
import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.explore.similar import Similar, more_like
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.identity import identify
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.saved_map import SavedMap, same_rows


def known_of(patches: PatchSet, run: Run | None, watch: Watch = UNWATCHED) -> pd.DataFrame:
    """Say which patches these are, as far as their run noted it; else they are looked at."""
    if run is not None and len(run.who) == len(patches):
        return run.who
    return identify(patches, watch)


def more_like_by(
    saved: SavedMap,
    known: pd.DataFrame,
    rows: np.ndarray,
    count: int,
    watch: Watch = UNWATCHED,
    without: np.ndarray | None = None,
) -> Similar:
    """Find the patches that are most like some by what another run learned.

    Its patches are found by what they are, in whatever order it has them; its features
    are read in parts.

    Parameters
    ----------
    saved : SavedMap
        Of the same patches.
    known : DataFrame
        Which patches those are that ``rows`` and the result count; see :func:`known_of`.
    rows, count, watch, without
        See :func:`napari_patchmap.explore.similar.more_like`.

    Raises
    ------
    RunError
        If it is of other patches, or has no features that can be read.
    SuggestionError
        If nothing is selected, or the features are not finite.
    LoadCancelled
        If the watch says so.
    """
    there = same_rows(known, saved.read_known(), saved.folder)
    path = saved.folder / "features.npy"
    try:
        features = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise RunError(
            f"{saved.folder} has no features.npy, by which patches are compared; choose "
            "another map."
        ) from None
    except Exception as error:
        raise RunError(f"{path} cannot be read; restore it, or choose another map.") from error
    if features.ndim != 2 or len(features) != len(there):
        raise RunError(f"{path} is not of these patches; restore it, or choose another map.")
    hidden = None if without is None else there[without]
    found = more_like(features, there[rows], count, watch, hidden)
    here = np.empty(len(there), np.intp)
    here[there] = np.arange(len(there))
    return Similar(here[found.indices], found.distances)
