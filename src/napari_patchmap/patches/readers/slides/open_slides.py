"""Slides as patches: their tiles, read when they are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap import formats
from napari_patchmap.errors import PatchError
from napari_patchmap.kind import Kind
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.images import Images, same_sizes
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.dicom.dicom_file import dicom_files
from napari_patchmap.patches.readers.microscope.makers import is_microscope
from napari_patchmap.patches.readers.plate.open_plate import FEW_FIELDS, plate_notes, with_wells
from napari_patchmap.patches.readers.plate.read_plate import is_plate, read_plate
from napari_patchmap.patches.readers.slides.dicom_slide import is_dicom_slide
from napari_patchmap.patches.readers.slides.find_slides import find_slides, holds_slides
from napari_patchmap.patches.readers.slides.levels import is_slide
from napari_patchmap.patches.readers.slides.pyramid import Pyramid
from napari_patchmap.patches.readers.slides.sampled import (
    SampledSlides,
    UnlikeSlides,
    check_alike,
)
from napari_patchmap.patches.readers.slides.tiles import (
    TilePlan,
    is_one_slide,
    open_slide,
    plan,
)
from napari_patchmap.patches.readers.slides.zarr_slide import holds_image
from napari_patchmap.patches.readers.zarr.zarr_find import is_zarr
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.patches.watch import LoadCancelled, Watch


class TileImages(Images):
    """Tiles of slides at one size, decoded when they are read; there is one plan a slide."""

    def __init__(self, plans: Sequence[TilePlan], dtype: np.dtype, channels: int) -> None:
        self.dtype, self.channels = np.dtype(dtype), channels
        self.plans = list(plans)
        self._side = plans[0].config.size
        self._slide_of = np.repeat(np.arange(len(plans)), [len(plan.boxes) for plan in plans])
        corners = [plan.boxes[["y", "x"]].to_numpy(np.int64) for plan in plans]
        self._corners = np.concatenate(corners)
        self.sizes = same_sizes(len(self._corners), self._side, self._side)
        paths, samplings = [plan.path for plan in plans], [plan.sampling for plan in plans]
        self._slides = SampledSlides(paths, samplings, dtype, channels)

    def __getitem__(self, index: int) -> np.ndarray:
        """Return tile ``index`` as ``(size, size, channel)``.

        Raises
        ------
        PatchError
            One sentence that names the slide and the place, if it is damaged or gone.
        """
        y, x = self._corners[index].tolist()
        return self._slides.read(int(self._slide_of[index]), y, x, self._side, self._side)


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a path is a slide or a folder of them; if chosen, whether it may be."""
    if is_zarr(path):  # of which every chunk is a file, that may be called anything
        return chosen and (is_plate(path) or holds_image(path))
    if dicom_files(path):
        return is_dicom_slide(path)
    if path.is_dir():
        return holds_slides(path) or (chosen and (is_plate(path) or bool(find_slides(path))))
    return chosen or is_slide(path)


def read(request: OpenRequest, watch: Watch) -> Source:
    """Cut a slide, every slide in a folder or every field of plates; no tile is read yet.

    Of a microscope's file the scene ``request.key``, or all.

    Raises
    ------
    PatchError
        If there are no tiles, or the slides cannot be one set.
    LoadCancelled
    """
    path, config = Path(request.path), request.tiles or TileConfig()
    if request.key and is_microscope(path):
        path /= request.key
    plate = read_plate(path, "auto", watch) if is_plate(path) else None
    folder = not is_one_slide(path)
    if plate is not None:
        names = plate.sources.tolist()
    else:
        names = find_slides(path) if folder else [path.name]
    if not names:
        raise PatchError(
            f"The folder {path} holds no slides (.svs or .tif files); choose another folder, "
            "or leave out the settings for tiles."
        )
    root = path if folder else path.parent
    called = "slides" if plate is None else "fields"
    plans: list[TilePlan] = []
    kept: list[str] = []
    skipped: list[Skipped] = [] if plate is None else list(plate.skipped)
    files: list[tuple[str, Path]] = []
    first: Pyramid | None = None
    for number, name in enumerate(names):
        if folder:
            watch.step(number, len(names))
        try:
            slide = open_slide(root / name)
        except PatchError as error:
            if not folder:
                raise
            skipped.append(Skipped(name, _words(root / name, error)))
            continue
        try:
            if first is None:
                first = slide
            check_alike(first, slide)
            # Inside a folder progress counts slides, but a stop is heard at any time.
            inside = watch.at(number, len(names)) if folder else watch
            several, pictured = len(names) > 1, plate is None
            made = plan(slide, config, several=several, watch=inside, pictured=pictured)
        except (LoadCancelled, UnlikeSlides):
            raise
        except PatchError as error:
            if not folder:
                raise error.of(slide.path) from None
            skipped.append(Skipped(name, _words(root / name, error)))
            continue
        finally:
            slide.close()
        plans.append(made)
        kept.append(name)
        files += [(f"{name}{part}", place) for part, place in slide.files]
    if not plans or first is None:
        raise PatchError(
            f"None of the {len(names):,} {called} in {path} gives tiles ({skipped[0].source} "
            f"{skipped[0].reason})."
        )
    watch.step(len(names), len(names))
    table, notes = _table(plans, kept, folder and plate is None), _notes(plans, called)
    if plate is not None:
        of = pd.Index(plate.sources).get_indexer(pd.Index(table["source"]))
        table, notes = with_wells(table, plate, of), plate_notes(plate) + notes
    known = [one.mpp for one in plans if one.mpp is not None]
    return Source(
        images=TileImages(plans, first.dtype, first.channels),
        table=table,
        channel_names=first.channel_names,
        notes=notes,
        skipped=skipped,
        fingerprint=fingerprint("slides", files, tiles=sorted(config.to_dict().items())),
        few_sources=None if plate is None else FEW_FIELDS,
        mpp=float(np.median(known)) if known else None,
    )


# -- parts ------------------------------------------------------------------------


def _words(path: Path, error: PatchError) -> str:
    """Take the slide's name off a sentence, for a list that names it anyway."""
    return str(error).removeprefix(f"{path} ").removesuffix(".")


def _notes(plans: Sequence[TilePlan], slides: str) -> list[str]:
    """Say what was planned; ``slides`` is what several are called."""
    notes = plans[0].lines() if len(plans) == 1 else []
    config = plans[0].config
    resolutions = [one.mpp for one in plans if one.mpp is not None]
    if resolutions and max(resolutions) > 1.05 * min(resolutions):
        notes.append(
            f"The {slides} differ in resolution ({min(resolutions):.3g} to "
            f"{max(resolutions):.3g} µm per pixel); choose micrometres per pixel to bring "
            "them to one."
        )
    damaged = [one.damage for one in plans if one.damage]
    if damaged and len(plans) > 1:
        notes.append(
            f"{len(damaged):,} {slides} are damaged in places, which were taken for glass: "
            f"{damaged[0]}"
        )
    if len(plans) > 1:
        tiles, found = sum(len(one.boxes) for one in plans), sum(one.found for one in plans)
        chosen = f", chosen at random from {found:,}" if tiles < found else ""
        notes.append(
            f"{tiles:,} tiles of {config.size} x {config.size} pixels from {len(plans):,} "
            f"{slides}{chosen}."
        )
    return notes


def _table(plans: Sequence[TilePlan], names: Sequence[str], folder: bool) -> pd.DataFrame:
    parts = []
    for made, name in zip(plans, names, strict=True):
        part = made.boxes.assign(source=name, frame=0)
        if folder:
            part["slide"] = _called(name)
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    others = ["foreground"] if plans[0].config.foreground != "none" else []
    return table[[*BOX_COLUMNS, *others, *(["slide"] if folder else [])]]


def _called(name: str) -> str:
    """Return what a slide is called: its file without the ending, and a scene behind it."""
    folder, _, last = name.rpartition("/")
    if folder.lower().endswith(tuple(formats.MICROSCOPES)):
        return f"{_called(folder)} {last}"
    if not last.lower().endswith((*formats.endings(Kind.SLIDES), ".zarr")):
        return last
    return last.rpartition(".")[0].removesuffix(".zarr").removesuffix(".ome")
