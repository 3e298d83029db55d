"""Looking for something in the patches of a run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from napari_patchmap.errors import FindError
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.findings import Findings
from napari_patchmap.find.search import FindInput, FindWatch, Found, Search
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.annotation_files import AnnotationPlace
from napari_patchmap.runs.finding_files import read_findings
from napari_patchmap.runs.run import Run, metric_of


def annotated_table(run: Run) -> pd.DataFrame:
    """Return the table of a run with what people called its patches, as its folder has it."""
    if run.folder is None:
        return run.table
    place = AnnotationPlace(run.folder, run.numbers)
    kept = read_findings(place, Findings(Annotations(len(run)))).findings
    return pd.concat([run.table, kept.annotations.table()], axis=1)


def find_in(
    run: Run,
    search: Search,
    config: Any,
    table: pd.DataFrame,
    patches: PatchSet | None = None,
    watch: FindWatch | None = None,
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
    watch : callable, optional
        Told what is known so far; True ends the search, with what it has.

    Raises
    ------
    FindError
        If nothing can be looked for.
    """
    if search.needs_images and patches is None:
        raise FindError(
            f"The images of {run.name} are needed for this, and are not there; say where they "
            "are now (--images FOLDER)."
        )
    given = FindInput(
        run.embedding,
        run.features if run.dimensions else None,
        table,
        patches,
        metric_of(run.config, run.layout),
    )
    return search.find(given, config, watch or _never)


def _never(found: Found | None, done: int, total: int) -> bool:
    return False
