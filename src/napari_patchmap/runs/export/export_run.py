"""The one door: chosen patches of a run, written as the name of the file asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.explore.named_selections import SELECTIONS
from napari_patchmap.few_names import some_of
from napari_patchmap.kind import Kind
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.annotation_place import ANNOTATIONS, CLASSES
from napari_patchmap.runs.export.export_format import Exportable
from napari_patchmap.runs.export.export_formats import export_format_of
from napari_patchmap.runs.export.export_table import whole_table
from napari_patchmap.runs.export.map_parts import MapParts
from napari_patchmap.runs.export.safe_columns import group_colours, text_of
from napari_patchmap.runs.gathering import moved_origin
from napari_patchmap.runs.reopening import LOCATED, reopen_patches
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_folder import files_of
from napari_patchmap.runs.session_file import SESSION
from napari_patchmap.runs.writable import check_file, writing


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    paths : tuple of Path
    count : int
        Patches that were chosen.
    notes : tuple of str
        What should be known of it, in sentences.
    """

    paths: tuple[Path, ...]
    count: int
    notes: tuple[str, ...] = ()


def export(
    run: Run | MapParts | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    rows: np.ndarray | None = None,
    only: Sequence[str] = (),
    class_column: str | None = None,
    columns: pd.DataFrame | None = None,
    colours: Mapping[str, Mapping[str, str]] | None = None,
    selections: Mapping[str, np.ndarray] | None = None,
    patches: PatchSet | None = None,
    images: str | os.PathLike[str] | None = None,
    watch: Watch = UNWATCHED,
) -> Exported:
    """Write patches of a run with all that is known of them; the name says in which format.

    ``.csv`` and ``.parquet`` are the table, ``.h5ad`` features, table and map for scanpy,
    ``.geojson`` boxes or outlines for QuPath, a name without an ending a folder of images by
    class, ``.tif`` and ``.npy`` a stack, ``.png`` a contact sheet. Only the last four read
    images. May be called from any thread.

    Parameters
    ----------
    run : Run, MapParts, or path of a run folder
    path : path
        A file that is there is replaced; a folder must be empty or new.
    rows : ndarray of int, shape (m,), optional
        Which patches, as rows of the run; all by default.
    only : sequence of str, optional
        Of these those of these classes.
    class_column : str, optional
        Column that is the class: by default the annotation that was worked on last, or else
        the label. "" for none.
    columns : DataFrame, n rows, optional
        Columns besides those of the run's table, such as annotations and suggestions that
        are in memory; the first one is the class by default. Without it the annotations are
        those of the run's folder.
    colours : mapping, optional
        Colour ``#rrggbb`` by column and class, of columns that have their own.
    selections : mapping of str to ndarray of int, optional
        Rows of selections that have a name; each becomes a column of yes and no. Without it
        they are those of the run's folder.
    patches : PatchSet, optional
        The images, opened, row by row as the run has them; without it they are opened where
        they are needed.
    images : path, optional
        Where the images are now, if they were moved.
    watch : Watch, optional
        Hears how far it is, and may stop it; nothing is written then.

    Raises
    ------
    RunError
        If the ending is unknown, a class or column is not there, no patch is left, or it
        cannot be written.
    MissingPackageError
        If the format needs a package that is not installed.
    PatchError
        If images are needed and none is there; LoadCancelled where ``watch`` wants to stop.
    """
    path = Path(os.path.abspath(os.path.expanduser(path)))
    form = export_format_of(path)
    if form.ending:
        check_file(path)
    if isinstance(run, MapParts):
        parts = run
    else:
        parts = MapParts.of(run) if isinstance(run, Run) else MapParts.read(run)
    _check_not_of_run(path, parts)
    table, given, first, noted = whole_table(parts, columns, colours or {}, selections)
    column = _class_column(table, class_column, first)
    classes = text_of(table[column]) if column else np.full(len(table), "", object)
    chosen = _chosen(len(table), rows, classes, only, column)
    if column and column not in given:
        given[column] = group_colours(table, column)
    settings = {
        "name": parts.name, "method": parts.config.train.method, "layout": parts.layout,
        "class_column": column, "config": parts.config.to_dict(),
    }  # fmt: skip
    if parts.evened:
        settings["evened"] = {k: v for k, v in parts.evened.items() if k != "batches"}
    origin = patches.origin if patches is not None else parts.origin
    if patches is None and images is not None:
        origin = moved_origin(parts.origin, os.fspath(images))
    data = Exportable(
        name=parts.name,
        method=parts.config.train.method,
        settings=settings,
        rows=chosen,
        table=table.iloc[chosen].reset_index(drop=True),
        embedding=parts.embedding[chosen],
        features=None if parts.features is None else parts.features[chosen],
        class_column=column,
        classes=classes[chosen],
        colours=given,
        origin=origin,
        open_patches=partial(_opened, run, parts, patches, images, watch),
        watch=watch,
    )
    with writing(path):
        paths, notes = form.write(data, path)
    return Exported(tuple(paths), len(chosen), (*parts.notes, *noted, *notes))


def _class_column(table: pd.DataFrame, wanted: str | None, first: str) -> str:
    if wanted:
        if wanted not in table:
            raise RunError(
                f"There is no column {wanted}; there are {', '.join(map(str, table.columns))}."
            )
        return wanted
    if wanted is None and first:
        return first
    has_labels = "label" in table and table["label"].notna().any()
    return "label" if wanted is None and has_labels else ""


def _chosen(
    count: int, rows: np.ndarray | None, classes: np.ndarray, only: Sequence[str], column: str
) -> np.ndarray:
    """Return which rows are exported."""
    chosen = np.arange(count) if rows is None else np.asarray(rows, np.intp).reshape(-1)
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= count):
        raise RunError(f"The map has patches 0 to {count - 1:,}, and others were asked for.")
    if only:
        known = dict.fromkeys(sorted(set(classes) - {""}))
        unknown = [name for name in only if name not in known]
        if unknown and not column:
            raise RunError("These patches have no classes to choose by; annotate them first.")
        if unknown:
            there = some_of(list(known), 20)
            raise RunError(f"{column} has no class {unknown[0]}; there are {there}.")
        chosen = chosen[np.isin(classes[chosen].astype(str), list(only))]
    if not len(chosen):
        raise RunError("No patch is left to export; choose some.")
    return chosen


def _check_not_of_run(path: Path, parts: MapParts) -> None:
    folder = parts.folder
    if folder is None:
        return
    path, folder = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    ours = {*files_of(folder), ANNOTATIONS, CLASSES, SELECTIONS, SESSION, LOCATED}
    if path == folder or (path.parent == folder and path.name in ours):
        raise RunError(f"{path} belongs to the run; choose another place.")


def _opened(
    run: Run | MapParts | str | os.PathLike[str],
    parts: MapParts,
    patches: PatchSet | None,
    images: str | os.PathLike[str] | None,
    watch: Watch,
) -> PatchSet:
    """Open the images of a run, row by row as it has them."""
    if parts.origin.get("kind") == Kind.POINTS:
        raise RunError(
            f"The patches of {parts.name} are points without pictures; export them as a "
            "table (.csv, .parquet) or for scanpy (.h5ad)."
        )
    if patches is not None:
        return patches
    if not isinstance(run, Run):
        if parts.folder is None:
            raise RunError(f"The run {parts.name} is not saved, so its images are not known.")
        run = Run.load(parts.folder)
    return reopen_patches(run, where=images, watch=watch)
