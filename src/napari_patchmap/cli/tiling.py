"""``patchmap tile``: the tiles of slides as files that any program opens."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from PIL import Image, ImageDraw

from napari_patchmap.errors import PatchError
from napari_patchmap.lock import alone_in
from napari_patchmap.optional import optional
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.slides.open_slides import TileImages, read
from napari_patchmap.patches.readers.slides.tiles import TilePlan
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.threads import attended, cores
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.writable import check_folder
from napari_patchmap.writing import write_whole

imagecodecs = optional("imagecodecs")

#: Colour in which tiles are framed: seen on pink, violet and white alike.
_FRAME = (0, 140, 70)

#: Files in work at a time, for each thread.
_AHEAD = 4

#: What a file's name cannot hold on one system or another.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


@dataclass(frozen=True)
class Tiled:
    """What was written."""

    out: Path
    written: int
    planned: int
    """Tiles; fewer are written than planned after a stop, or where a slide is damaged."""
    stopped: bool
    notes: list[str]
    skipped: list[Skipped]


def cut(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    config: TileConfig | None = None,
    watch: Watch = UNWATCHED,
) -> Tiled:
    """Write the tiles of a slide, or of every slide in a folder, as files.

    ``<slide>_y<y>_x<x>.png`` (TIFF where PNG cannot hold the pixels as they are),
    in a folder a slide where there are several; ``tiles.csv`` says where each
    lies; ``tiles.png`` shows them on the slide.

    Parameters
    ----------
    path : path
        Of a slide or a folder of slides.
    out : path
        Folder that does not exist yet, or is empty.
    config : TileConfig, optional
    watch : Watch, optional
        Told how many of how many tiles are written. What is written by the end stays.

    Raises
    ------
    PatchError
        If the slides cannot be read, or ``out`` holds something or cannot be written.
    """
    path = Path(os.path.abspath(os.path.expanduser(path)))
    out = Path(os.path.abspath(os.path.expanduser(out)))
    with alone_in(out):
        _check_empty(out)
        if not path.exists():
            raise PatchError(f"There is no file or folder {path}; check the path.")
        return _cut(OpenRequest(path, tiles=config), out, watch)


def _cut(request: OpenRequest, out: Path, watch: Watch) -> Tiled:
    source = attended(lambda inner: read(request, inner), Watch(None, watch.should_stop))
    images = source.images
    assert isinstance(images, TileImages)
    folders = _folders(images.plans)
    table = _rows(images, folders, source.table)
    skipped = list(source.skipped)
    try:
        for folder in folders:
            (out / folder).mkdir(parents=True, exist_ok=True)
        reasons, done = _write_all(images, table["file"].tolist(), out, watch)
        skipped += [Skipped(table["file"].iloc[i], why) for i, why in reasons.items()]
        table = table.iloc[[i for i in range(done) if i not in reasons]]
        write_whole(
            out / "tiles.csv", table.to_csv(index=False).encode(errors="backslashreplace")
        )
        for plan, folder in zip(images.plans, folders, strict=True):
            if plan.picture.size:
                write_whole(out / folder / "tiles.png", imagecodecs.png_encode(drawn(plan)))
    except OSError as error:
        raise PatchError(
            f"The folder {out} cannot be written ({error.strerror or error}); choose another "
            "one, or make room."
        ) from None
    planned = len(images)
    return Tiled(out, len(table), planned, done < planned, source.notes, skipped)


def drawn(plan: TilePlan) -> np.ndarray:
    """Draw the frames of a plan's tiles on the picture of its slide, uint8 RGB."""
    picture = Image.fromarray(plan.picture)
    draw, thick = ImageDraw.Draw(picture), max(1, max(picture.size) // 1000)
    corners = plan.boxes[["x", "y"]].to_numpy() / plan.scale
    ends = corners + plan.boxes[["width", "height"]].to_numpy() / plan.scale
    ends = np.minimum(np.ceil(ends), picture.size) - 1
    starts = np.minimum(np.floor(corners), ends)  # the picture's sides are rounded
    for box in np.hstack([starts, ends]).tolist():
        draw.rectangle(box, outline=_FRAME, width=thick)
    return np.asarray(picture)


# -- names ------------------------------------------------------------------------


def _rows(images: TileImages, folders: list[str], table: pd.DataFrame) -> pd.DataFrame:
    """Name the file of each tile, and say where it lies."""
    plans, png = images.plans, images.dtype == np.uint8 and images.channels in (1, 3)
    counts = [len(plan.boxes) for plan in plans]
    stems = [
        f"{folder}/{_stem(plan)}".lstrip("/")
        for folder, plan in zip(folders, plans, strict=True)
    ]
    places = zip(np.repeat(stems, counts), table["y"], table["x"], strict=True)
    wells = [name for name in ("plate", "row", "column", "well", "field") if name in table]
    kept = ["source", "y", "x", "height", "width", "foreground", *wells]
    rows = table.reindex(columns=kept)
    suffix = "png" if png else "tif"
    rows.insert(0, "file", [f"{stem}_y{y}_x{x}.{suffix}" for stem, y, x in places])
    rows["mpp"] = np.repeat(np.array([plan.mpp for plan in plans], np.float64), counts)
    return rows


def _stem(plan: TilePlan) -> str:
    name = plan.path.name
    if not plan.picture.size:  # a field of a plate lies in the folders of its row and column
        name = "_".join(plan.path.parts[-3:])
    stem = (name.rpartition(".")[0] or name).removesuffix(".ome")
    return _FORBIDDEN.sub("_", stem).strip(" .") or "slide"


def _folders(plans: list[TilePlan]) -> list[str]:
    """Name a folder for each of several slides; no two the same, also without upper case."""
    if len(plans) == 1:
        return [""]
    taken: set[str] = set()
    folders = []
    for plan in plans:
        folder, again = _stem(plan), 2
        while folder.casefold() in taken:
            folder, again = f"{_stem(plan)}_{again}", again + 1
        taken.add(folder.casefold())
        folders.append(folder)
    return folders


# -- files ------------------------------------------------------------------------


def _check_empty(out: Path) -> None:
    try:
        if out.is_dir() and any(out.iterdir()):
            raise PatchError(f"The folder {out} is not empty; choose a new one for the tiles.")
        if out.exists() and not out.is_dir():
            raise PatchError(f"{out} is a file; choose a new folder for the tiles.")
    except OSError as error:
        raise PatchError(
            f"The folder {out} cannot be used ({error.strerror or error}); choose another one."
        ) from None
    check_folder(out)


def _write_all(
    images: TileImages, names: list[str], out: Path, watch: Watch
) -> tuple[dict[int, str], int]:
    """Write tiles in order; return why some could not be read, and how many were dealt with.

    Once stopped, no other is begun.
    """
    reasons: dict[int, str] = {}

    def write(index: int) -> None:
        try:
            pixels = images[index]
        except PatchError as error:
            reasons[index] = str(error)
            return
        # Flushing each of a hundred thousand files would take hours on some disks.
        write_whole(out / names[index], _encoded(pixels, names[index]), flush=False)

    rest, done = iter(range(len(names))), 0
    with ThreadPoolExecutor(cores()) as pool:
        waiting = [pool.submit(write, index) for index in islice(rest, _AHEAD * cores())]
        while waiting:
            waiting.pop(0).result()
            done += 1
            if not watch.ends(done, len(names)):
                waiting += [pool.submit(write, index) for index in islice(rest, 1)]
    return reasons, done


def _encoded(pixels: np.ndarray, name: str) -> bytes:
    if name.endswith(".png"):
        return bytes(imagecodecs.png_encode(np.squeeze(pixels), level=4))
    planes = np.moveaxis(pixels, -1, 0)
    file = BytesIO()
    tifffile.imwrite(
        file,
        planes if len(planes) > 1 else planes[0],
        photometric="minisblack",
        metadata={"axes": "CYX" if len(planes) > 1 else "YX"},
        ome=True,
        compression="zlib",
    )
    return file.getvalue()
