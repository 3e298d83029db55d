"""Objects of whole slides as patches: crops around them are read from the pyramid alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.objects.centre_tables import (
    CENTRE_TABLES,
    centres_at,
    centres_of,
    read_centres,
)
from napari_patchmap.patches.readers.objects.crop_images import Classes
from napari_patchmap.patches.readers.objects.crop_layout import lay
from napari_patchmap.patches.readers.objects.object_files import (
    CLASS,
    add_rows,
    read_outlines,
)
from napari_patchmap.patches.readers.objects.slide_frames import SlideFrames
from napari_patchmap.patches.readers.objects.slide_labels import SlideLabels, is_label_file
from napari_patchmap.patches.readers.objects.slide_object_files import pair_slides
from napari_patchmap.patches.readers.objects.slide_objects import (
    SlideObjects,
    centred,
    labelled,
    outlined,
)
from napari_patchmap.patches.readers.slides.pyramid import Pyramid
from napari_patchmap.patches.readers.slides.sampled import UnlikeSlides, check_alike
from napari_patchmap.patches.readers.slides.tile_grid import Sampling, sampling
from napari_patchmap.patches.readers.slides.tiles import is_one_slide, open_slide
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import LoadCancelled, Watch

#: Side of the crops around centres where nothing is said, in pixels.
_SIDE = 64


@dataclass(frozen=True)
class _Cut:
    """One slide and its objects."""

    name: str
    file: Path
    slide: Pyramid
    how: Sampling
    objects: SlideObjects


def read_slide_objects(path: Path, objects: Path, config: CropConfig, watch: Watch) -> Source:
    """Cut crops around the objects of a slide, or of every slide in a folder.

    Parameters
    ----------
    path : Path
        A slide, or a folder of slides.
    objects : Path
        A label image (TIFF, Zarr), outlines or points (GeoJSON, ImageJ's regions) or a table
        of centres; for a folder of slides a folder of such files that are called like them,
        or a table with the names of slides.
    config : CropConfig
    watch : Watch

    Raises
    ------
    PatchError
        If one of the two cannot be read, or they do not match.
    LoadCancelled
    """
    folder = not is_one_slide(path)
    files, skipped = pair_slides(path, objects) if folder else ({path.name: objects}, [])
    tables: dict[Path, tuple[pd.DataFrame, list[str]]] = {}
    root, cuts = path if folder else path.parent, list[_Cut]()
    for done, (name, file) in enumerate(files.items()):
        watch.step(done, len(files))
        try:
            cuts.append(_open(root / name, name, file, config, tables, watch))
            check_alike(cuts[0].slide, cuts[-1].slide)
        except (LoadCancelled, UnlikeSlides):
            raise
        except PatchError as error:
            if not folder:
                raise
            said = str(error).removeprefix(f"{root / name} ").removesuffix(".")
            skipped.append(Skipped(name, said))
    if not cuts:
        raise PatchError(
            f"None of the slides in {path} has objects in {objects} ({skipped[0].source} "
            f"{skipped[0].reason}); name the files like the slides."
        )
    watch.step(len(files), len(files))
    return _source(cuts, config, objects, skipped)


def _open(
    path: Path,
    name: str,
    file: Path,
    config: CropConfig,
    tables: dict[Path, tuple[pd.DataFrame, list[str]]],
    watch: Watch,
) -> _Cut:
    """Open a slide and read its objects; tables that were read are kept in ``tables``."""
    slide = open_slide(path)
    try:
        try:
            if config.level is None:
                how = sampling(slide, config.mpp)
            else:
                how = _of_level(slide, config.level)
        except PatchError as error:
            raise error.of(path) from None
        return _Cut(name, file, slide, how, _objects(slide, file, tables, watch))
    finally:
        slide.close()


def _objects(
    slide: Pyramid,
    file: Path,
    tables: dict[Path, tuple[pd.DataFrame, list[str]]],
    watch: Watch,
) -> SlideObjects:
    if is_label_file(file):
        return labelled(SlideLabels(file, slide.path, slide.shape), slide.shape, watch)
    if file.name.lower().endswith(CENTRE_TABLES):
        if file not in tables:
            tables[file] = read_centres(file, watch)
        rows, notes = tables[file]
        found = centred(centres_of(rows, file, slide.path, slide.mpp, watch), file, slide.shape)
    else:
        with decoding(file, "cannot be read", "save it again"):
            outlines, notes = read_outlines(file)
        if outlines[0].is_point:
            found = centred(centres_at(outlines, CLASS), file, slide.shape)
        else:
            found = outlined(outlines, CLASS, file, slide.shape)
    found.notes[:0] = notes
    return found


def _of_level(slide: Pyramid, level: int) -> Sampling:
    if level >= len(slide.levels):
        raise PatchError(
            f"{slide.path} has {len(slide.levels)} levels, 0 to {len(slide.levels) - 1}, and "
            f"none of number {level}; choose one of them."
        )
    return Sampling(level, slide.levels[level].downsample, 1.0)


def _source(
    cuts: Sequence[_Cut], config: CropConfig, path: Path, skipped: list[Skipped]
) -> Source:
    first, notes = cuts[0], [note for cut in cuts for note in cut.objects.notes]
    if sum(len(cut.objects.found) for cut in cuts) == 1:
        raise PatchError(
            f"{path} holds one single object; a map needs many, so choose another file."
        )
    config = _with_side(cuts, config, path, notes)
    frames = SlideFrames(
        [cut.slide.path for cut in cuts], [cut.slide.shape for cut in cuts],
        [cut.how for cut in cuts], first.slide.dtype, first.slide.channels,
    )  # fmt: skip
    found = [cut.objects.scaled(cut.how.downsample) for cut in cuts]
    crops = lay(frames, found, config, str(path), partial(_classes, cuts))
    table = crops.table
    plane = table.pop("plane").to_numpy()
    downsample = np.array([cut.how.downsample for cut in cuts])[plane]
    for column in ("y", "x", "height", "width"):
        table[column] = np.rint(table[column] * downsample).astype(np.int64)
    # What was measured in pixels of the crops is said in those of the slide.
    at = [
        pd.Index(cut.objects.found.ids).get_indexer(table["label_id"][plane == number])
        for number, cut in enumerate(cuts)
    ]
    measured = [
        np.column_stack([cut.objects.found.area, cut.objects.found.centroids])[rows]
        for cut, rows in zip(cuts, at, strict=True)
    ]
    table[["area", "centroid_y", "centroid_x"]] = np.concatenate(measured).round(2)
    table["area"] = table["area"].astype(np.int64)
    if any(cut.objects.shapes is None for cut in cuts):
        del table["area"]  # a centre has none
    table.insert(0, "frame", 0)
    table.insert(0, "source", np.array([cut.name for cut in cuts], object)[plane])
    known = [cut.slide.mpp * cut.how.downsample for cut in cuts if cut.slide.mpp is not None]
    marks = [(f"{cut.name}{part}", at) for cut in cuts for part, at in cut.slide.files]
    marks += dict.fromkeys(mark for cut in cuts for mark in _files(cut))
    source = Source(
        crops.images, table, first.slide.channel_names, notes=notes + crops.notes,
        skipped=skipped, mpp=float(np.median(known)) if known else None,
        fingerprint=fingerprint("slide objects", marks, **config.to_dict()),
    )  # fmt: skip
    wanted = pd.MultiIndex.from_arrays([plane, table["label_id"]])
    rows = pd.concat({number: cut.objects.rows for number, cut in enumerate(cuts)})
    label = next((cut.objects.label for cut in cuts if cut.objects.label), "")
    add_rows(source, rows.reindex(wanted).reset_index(drop=True), label)
    return source


def _classes(cuts: Sequence[_Cut], table: pd.DataFrame) -> Classes:
    """Return what tells the objects of a table of crops apart."""
    plane, ids = table["plane"].to_numpy(), table["label_id"].to_numpy()
    side = int(table["height"].iloc[0])
    kinds = [cut.objects.kinds(cut.how.downsample, side) for cut in cuts]
    return lambda index, rows, columns: kinds[plane[index]](int(ids[index]), rows, columns)


def _files(cut: _Cut) -> list[tuple[str, Path]]:
    """Return the files that say where the objects of a slide are, by names."""
    shapes = cut.objects.shapes
    return shapes.files if isinstance(shapes, SlideLabels) else [(cut.file.name, cut.file)]


def _with_side(
    cuts: Sequence[_Cut], config: CropConfig, path: Path, notes: list[str]
) -> CropConfig:
    """Choose the side of crops around centres, of which no outline says how large they are."""
    if all(cut.objects.shapes is not None for cut in cuts):
        return config
    if config.mask_background or config.mask_neighbours:
        raise PatchError(
            f"{path} says where the middles of objects are and not what belongs to them, so "
            "nothing beside them can be hidden; choose a file of outlines (GeoJSON), or leave "
            "neighbours and background to be seen."
        )
    if config.size is not None:
        return config
    notes.append(
        f"{path.name} does not say how large the objects are, so that crops are {_SIDE} pixels "
        "wide; choose their size if that does not fit."
    )
    return config.replace(size=_SIDE)
