"""Looking for something in the patches of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import FindError, RunError
from napari_patchmap.find.search import FindInput, Found, Search
from napari_patchmap.patches import PatchSet, open_patches
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.asked import LABEL_FROM
from napari_patchmap.runs.annotation_files import annotated_in
from napari_patchmap.runs.reopening import reopen_patches
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_folder import CONFIG


def annotated_table(run: Run) -> pd.DataFrame:
    """Return the table of a run with what was found in it, and what people called its patches.

    Annotations are those of its folder.
    """
    found = pd.DataFrame(run.more_columns, index=run.table.index)
    if run.folder is None:
        return pd.concat([run.table, found], axis=1)
    annotated = annotated_in(run.folder, run.numbers).table()
    return pd.concat([run.table, annotated, found], axis=1)


def find_in(
    run: Run,
    search: Search,
    config: Any,
    table: pd.DataFrame,
    patches: PatchSet | None = None,
    watch: Watch = UNWATCHED,
    against: FindInput | None = None,
) -> Found:
    """Look for something in the patches of a run.

    Parameters
    ----------
    run : Run
    search : Search
    config : Config
        Of the search's kind.
    table : DataFrame
        A row a patch: :func:`annotated_table`, or what the window has.
    patches : PatchSet, optional
        The images, where they are to be had.
    watch : Watch
        Told what is found so far.
    against : FindInput, optional
        A second set; see :func:`second_set`.

    Raises
    ------
    FindError
        If nothing can be looked for.
    """
    if patches is not None and not patches.pictured:
        patches = None
        if search.needs_images:
            raise FindError(f"{run.name} has no pictures, only features; this needs images.")
    if search.needs_images and patches is None:
        raise FindError(
            f"The images of {run.name} are needed for this, and are not there; say where they "
            "are now (--images FOLDER)."
        )
    given = replace(input_of(run, table, patches), against=against)
    found = search.find(given, config, watch)
    if search.of_labels and found.report:
        found = replace(found, report={**found.report, LABEL_FROM: run.label_from})
    return found


def input_of(run: Run, table: pd.DataFrame, patches: PatchSet | None = None) -> FindInput:
    """Return what there is to look in; arguments as those of :func:`find_in`."""
    return FindInput(
        run.embedding,
        run.features if run.dimensions else None,
        table,
        patches,
        run.metric,
    )


def check_second_set(path: str | Path) -> None:
    """Refuse, before any work, a second set that is not there.

    Raises
    ------
    RunError
    """
    if not Path(path).expanduser().exists():
        raise RunError(
            f"There is no file or folder {path} to look across; check the path, which is that "
            "of other images or of a run."
        )


def second_set(run: Run, path: str | Path, watch: Watch = UNWATCHED) -> FindInput:
    """Open other images, or those of another run, and see them as a run's network does.

    Parameters
    ----------
    run : Run
    path : str or path
        A folder of images, a stack, a slide, or the folder of a saved run.
    watch : Watch
        Told how many of how many images were opened, then how many were looked at.

    Raises
    ------
    PatchmapError
        If they cannot be opened, or are of another kind than the images of the run.
    LoadCancelled
        If the watch wants to stop.
    """
    path = Path(path).expanduser()
    if (path / CONFIG).is_file():
        patches = reopen_patches(Run.load(path), watch=watch)
    else:
        patches = open_patches(
            path,
            sizes="resize" if run.images.fit is None else run.images.fit,
            watch=watch,
        )
    features = run.place(patches, watch).features if run.dimensions else None
    places = np.zeros((len(patches), 2), np.float32)
    return FindInput(places, features, patches.table, patches, run.metric)
