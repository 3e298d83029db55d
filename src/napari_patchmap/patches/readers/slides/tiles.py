"""Which tiles a slide is cut into, before any of their pixels is read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.readers.dicom.dicom_file import dicom_files
from napari_patchmap.patches.readers.microscope.makers import (
    file_and_scene,
    is_microscope,
    several_scenes,
)
from napari_patchmap.patches.readers.plate.read_plate import is_plate
from napari_patchmap.patches.readers.slides.dicom_slide import DicomSlide, is_dicom_slide
from napari_patchmap.patches.readers.slides.foreground import foreground_mask, shares
from napari_patchmap.patches.readers.slides.microscope_slide import MicroscopeSlide
from napari_patchmap.patches.readers.slides.pyramid import Pyramid, picture
from napari_patchmap.patches.readers.slides.slide import Slide
from napari_patchmap.patches.readers.slides.tile_grid import Sampling, grid, sampling
from napari_patchmap.patches.readers.slides.zarr_slide import ZarrSlide
from napari_patchmap.patches.readers.zarr.zarr_find import is_zarr
from napari_patchmap.patches.tile_config import TILES_OF_MANY, TileConfig
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.percent import percent

#: Longer side of the picture of a slide, in pixels.
PICTURE = 2048

#: Longer side at most of the picture in which tissue is looked for.
_MASK = 3072

#: Pixels of that picture along the side of a tile, where the slide allows it.
_MASK_TILE = 8


@dataclass(frozen=True, eq=False)
class TilePlan:
    """What will be cut out of one slide; its tiles are not read yet.

    Parameters
    ----------
    path : Path
    config : TileConfig
    shape : (height, width)
        Of the slide in level-0 pixels.
    picture : ndarray of uint8, shape (height, width, 3)
        The slide, small; 0 x 0 of a field of a plate, of which there are thousands.
    scale : float
        Level-0 pixels that one pixel of the picture spans.
    boxes : DataFrame
        One row a tile: ``y``, ``x``, ``height``, ``width`` in level-0 pixels and
        ``foreground``, the share of it that is tissue (NaN where not looked for).
    candidates : int
        Tiles of the whole grid.
    found : int
        Those with enough tissue, of which ``boxes`` may be a random choice.
    mpp : float or None
        Micrometres per pixel of the tiles.
    magnification : float or None
        Of the tiles.
    sampling : Sampling
    damage : str
        What the first damaged place of the slide is, "" if none was found.
    """

    path: Path
    config: TileConfig
    shape: tuple[int, int]
    picture: np.ndarray
    scale: float
    boxes: pd.DataFrame
    candidates: int
    found: int
    mpp: float | None
    magnification: float | None
    sampling: Sampling
    damage: str = ""

    def lines(self) -> list[str]:
        """Say in a few lines what was planned."""
        size, (height, width) = self.config.size, self.shape
        known = [f"{width:,} x {height:,} pixels"]
        if self.mpp is not None:
            known.append(f"tiles at {self.mpp:.3g} µm per pixel")
        if self.magnification is not None:
            known.append(f"{self.magnification:.3g}x")
        lines = [f"{self.path.name}: {', '.join(known)}"]
        text = f"{len(self.boxes):,} tiles of {size} x {size} pixels"
        if len(self.boxes) < self.found:
            text += f", chosen at random from {self.found:,}"
        if self.config.foreground != "none":
            text += (
                f"; {self.found:,} of {self.candidates:,} hold at least "
                f"{100 * self.config.min_foreground:.0f} % tissue"
            )
        lines.append(text)
        if self.damage:
            lines.append(f"{self.damage} Such places were taken for glass.")
        return lines


def plan_tiles(
    path: str | os.PathLike[str],
    config: TileConfig | None = None,
    *,
    several: bool = False,
    watch: Watch = UNWATCHED,
) -> TilePlan:
    """Plan the tiles of one slide, to be shown before anything is loaded.

    Parameters
    ----------
    path : path
    config : TileConfig, optional
    several : bool
        Whether the slide is one of several, of which fewer tiles each are taken
        when the config leaves that open.
    watch : Watch, optional

    Raises
    ------
    PatchError
        One sentence that names the slide and the remedy.
    LoadCancelled
    """
    with_name = Path(os.path.abspath(os.path.expanduser(path)))
    slide = open_slide(with_name)
    try:
        return plan(slide, config or TileConfig(), several=several, watch=watch)
    except PatchError as error:
        raise error.of(with_name) from None
    finally:
        slide.close()


def open_slide(path: Path) -> Pyramid:
    """Open a slide.

    Raises
    ------
    PatchError
        One sentence that names the slide and the remedy.
    """
    if is_zarr(path):
        with decoding(path, "is not an OME-Zarr image that can be read", "copy it again"):
            return ZarrSlide(path)
    if dicom_files(path):
        with decoding(path, "is not a slide that can be read", "copy or export it again"):
            return DicomSlide(path)
    if file_and_scene(path) is not None:
        with decoding(path, "is not a slide that can be read", "copy or export it again"):
            return MicroscopeSlide(path)
    with decoding(path, "is not a TIFF that can be read", "copy or export it again"):
        return Slide(path)


def plan(
    slide: Pyramid,
    config: TileConfig,
    *,
    several: bool = False,
    watch: Watch = UNWATCHED,
    pictured: bool = True,
) -> TilePlan:
    """Plan the tiles of an open slide.

    Without a picture (``pictured``) no pixel is read where no foreground is looked for.

    Raises
    ------
    UnusableError
        If the slide gives no tiles.
    """
    how = sampling(slide, config.mpp, config.magnification)
    boxes = grid(slide, config, how)
    candidates = len(boxes)
    per_tile = max(slide.shape) * _MASK_TILE // how.box(config.size)
    longest = int(np.clip(per_tile, PICTURE if pictured else _MASK_TILE, _MASK))
    small, scale = np.empty((0, 0, slide.channels), slide.dtype), 1.0
    if pictured or config.foreground != "none":
        small, scale = slide.shrunk(longest, watch)
    boxes["foreground"] = np.nan
    if config.foreground != "none":
        if config.foreground == "hsv" and not slide.is_rgb:
            raise UnusableError(
                "is no colour slide, so it has no hues",
                "find its foreground by otsu, or choose none",
            )
        mask = foreground_mask(small, slide.is_rgb, config)
        columns = boxes[["y", "x", "height", "width"]].to_numpy()
        boxes["foreground"] = np.round(shares(mask, columns, scale), 3)
        boxes = boxes[boxes["foreground"] >= config.min_foreground]
        if boxes.empty:
            raise PatchError(slide.damage) if slide.damage else _nothing_found(config)
    found = len(boxes)
    most = config.tiles_per_slide or (TILES_OF_MANY if several else found)
    if found > most:
        # By the slide's name: the same tiles whatever other slides lie beside it.
        seed = [config.seed, *slide.path.name.encode("utf-8", "surrogateescape")]
        chosen = np.random.default_rng(seed).choice(found, most, replace=False)
        boxes = boxes.iloc[np.sort(chosen)]
    shown = np.empty((0, 0, 3), np.uint8)
    if pictured:
        shown = picture(small, slide.is_rgb, PICTURE)
        scale *= small.shape[0] / shown.shape[0]
    return TilePlan(
        path=slide.path,
        config=config,
        shape=slide.shape,
        picture=shown,
        scale=scale,
        boxes=boxes.reset_index(drop=True),
        candidates=candidates,
        found=found,
        mpp=None if slide.mpp is None else slide.mpp * how.downsample,
        magnification=(
            None if slide.magnification is None else slide.magnification / how.downsample
        ),
        sampling=how,
        damage=slide.damage,
    )


def _nothing_found(config: TileConfig) -> UnusableError:
    hint = ""
    if config.foreground == "hsv":
        hint = "set other hues (0.7 to 1 for haematoxylin and eosin), "
    return UnusableError(
        "holds no tissue that the foreground filter finds in "
        f"{percent(config.min_foreground)} of any tile",
        f"{hint}lower that share, or choose 'none' to keep every tile",
    )


def is_one_slide(path: Path) -> bool:
    """Whether a path is one slide, though it may be a folder, and not several in one.

    A microscope's file may hold several scenes, a zip file a plate.
    """
    if is_zarr(path):
        return not is_plate(path)
    if path.is_dir():
        return is_dicom_slide(path)
    return not (is_microscope(path) and several_scenes(path))
