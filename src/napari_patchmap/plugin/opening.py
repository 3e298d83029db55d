"""Opens what a person asked for: runs in a worker, knows nothing of widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs import Run, reopen_patches

Kind = Literal["folder", "file", "layer", "bundled", "run"]

#: Marks a patch set that stands in for images that are gone.
MISSING = "missing"

#: The two files by which a run folder is known.
RUN_FILES = ("config.json", "embedding.csv")


@dataclass(frozen=True)
class Request:
    """What to open and how.

    Parameters
    ----------
    kind : str
        Where the patches come from.
    path : str
        Folder, file or run folder; the name of the layer.
    labels : str
        A labels CSV, "" for none.
    sizes : {"resize", "crop", "pad"}, optional
        How images of other sizes are brought to one.
    axes : str
        One letter an axis, or "auto".
    array : array-like, optional
        Pixels of the layer.
    rgb : bool
        Whether the layer is shown as a colour image.
    """

    kind: Kind
    path: str = ""
    labels: str = ""
    sizes: Any = None
    axes: str = "auto"
    array: Any = None
    rgb: bool = False

    def but(self, **changes: Any) -> Request:
        """Return the request with some parts changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Opened:
    """Patches, with the run they belong to if one was opened, and what to say of it."""

    patches: PatchSet
    run: Run | None = None
    sentence: str = ""


def is_run_folder(path: str | Path) -> bool:
    """Whether a folder was written by a run of ours."""
    folder = Path(path)
    return all((folder / name).is_file() for name in RUN_FILES)


def open_request(
    request: Request, should_stop: Callable[[], bool], progress: Callable[[int, int], None]
) -> Opened:
    """Open patches, or a saved run with its patches.

    Raises
    ------
    PatchmapError
        If it cannot be opened; the sentence says why.
    """
    from napari_patchmap.patches import from_array, open_patches
    from napari_patchmap.patches.sample import bundled_cells

    if request.kind == "bundled":
        return Opened(bundled_cells())
    if request.kind == "run":
        return open_run(request.path)
    if request.kind == "layer":
        return Opened(
            from_array(
                request.array,
                name=request.path,
                axes=request.axes,
                rgb=request.rgb,
                labels=request.labels or None,
                origin={"kind": "layer", "layer": request.path},
            )
        )
    if not request.path:
        what = "a folder" if request.kind == "folder" else "a file"
        raise PatchError(f"Choose {what} first: type its path, browse, or drop it here.")
    return Opened(
        open_patches(
            Path(request.path).expanduser(),
            sizes=request.sizes,
            labels=request.labels or None,
            axes=request.axes,
            progress=progress,
            should_stop=should_stop,
        )
    )


def open_run(folder: str | Path) -> Opened:
    """Open a saved run with its patches; without them if they are gone."""
    path = Path(folder).expanduser()
    if path.name == "config.json":
        path = path.parent
    run = Run.load(path)
    try:
        patches = reopen_patches(run)
    except PatchError as error:
        return Opened(_stand_in(run), run, f"The map is open, but not its images: {error}")
    return Opened(patches, run)


def _stand_in(run: Run) -> PatchSet:
    """Make blank patches for the rows of a run whose images are gone."""
    blank = np.broadcast_to(np.zeros((1, 8, 8, 1), np.uint8), (len(run.table), 8, 8, 1))
    return PatchSet(
        images=blank,
        table=run.table,
        channel_names=("grey",),
        name=run.name,
        origin={"kind": MISSING},
        fit="resize",
    )
