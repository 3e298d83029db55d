"""Opens what a person asked for: runs in a worker, knows nothing of widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import PatchSet, reopen
from napari_patchmap.patches.source import LoadCancelled, Watch
from napari_patchmap.plugin.known_files import run_folder
from napari_patchmap.runs import (
    OpenLayer,
    Run,
    is_unfinished,
    read_unfinished,
    reopen_patches,
    without_images,
)

Kind = Literal["folder", "file", "slide", "layer", "objects", "bundled", "run"]

#: What has to be chosen, by kind.
_WANTED = {"folder": "a folder", "slide": "a slide"}


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
    objects : str
        Label image for kind "objects": its path, or the name of the Labels layer.
    objects_array : array-like, optional
        Labels of that layer; without it ``path`` and ``objects`` are files or folders.
    files : tuple of str
        Files from which the two layers were opened, "" where unknown.
    crops : CropConfig, optional
        How objects are cut out.
    pattern : str
        Takes labels and other columns out of the names of files, "" for none.
    tiles : TileConfig, optional
        How slides are cut into tiles.
    layers : tuple of OpenLayer
        For a run: what is open in the viewer, out of which it may have been made.
    """

    kind: Kind
    path: str = ""
    labels: str = ""
    sizes: Any = None
    axes: str = "auto"
    array: Any = None
    rgb: bool = False
    objects: str = ""
    objects_array: Any = None
    files: tuple[str, str] = ("", "")
    crops: Any = None
    pattern: str = ""
    tiles: Any = None
    layers: tuple[OpenLayer, ...] = ()

    def but(self, **changes: Any) -> Request:
        """Return the request with some parts changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Opened:
    """Patches, with the run they belong to if one was opened, and what to say of it.

    Parameters
    ----------
    patches : PatchSet
    run : Run, optional
        A run that has a map.
    sentence : str
    unfinished : Path, optional
        Folder of a training of these patches that can be resumed.
    """

    patches: PatchSet
    run: Run | None = None
    sentence: str = ""
    unfinished: Path | None = None

    def __post_init__(self) -> None:
        # Looked up while the window waits for nobody; slides have to be read for it.
        _ = self.patches.eyes


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
    from napari_patchmap.patches.slides.tile_config import TileConfig

    if request.kind == "bundled":
        return Opened(bundled_cells())
    if request.kind == "run":
        if not request.path:
            raise PatchError(
                "Choose a run folder first: type its path, browse, or drop it here."
            )
        return open_run(request.path, should_stop, progress, layers=request.layers)
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
    if request.kind == "objects":
        return Opened(_open_objects(request, should_stop, progress))
    if not request.path:
        what = _WANTED.get(request.kind, "a file")
        raise PatchError(f"Choose {what} first: type its path, browse, or drop it here.")
    return Opened(
        open_patches(
            Path(request.path).expanduser(),
            sizes=request.sizes,
            labels=request.labels or None,
            axes=request.axes,
            pattern=request.pattern or None,
            tiles=(request.tiles or TileConfig()) if request.kind == "slide" else None,
            progress=progress,
            should_stop=should_stop,
        )
    )


def keep_channels(patches: PatchSet, wanted: Sequence[str]) -> PatchSet:
    """Return a set with these channels only; a saved run opens it so again.

    Raises
    ------
    PatchError
        If there is no such channel, or none is wanted.
    """
    from napari_patchmap.patches.source import pick_channels

    picked = pick_channels(patches.channel_names, wanted, patches.name)
    names = tuple(patches.channel_names[i] for i in picked)
    return replace(
        patches,
        images=patches.images.with_channels(picked),
        channel_names=names,
        origin={**patches.origin, "channels": list(names)},
        intensity=None,
    )


def _open_objects(
    request: Request, should_stop: Callable[[], bool], progress: Callable[[int, int], None]
) -> PatchSet:
    """Cut crops around the objects of two layers, or of two files or folders."""
    from napari_patchmap.patches import CropConfig, from_objects, open_patches

    crops = request.crops or CropConfig()
    if request.objects_array is None:
        for path, what in ((request.path, "an image"), (request.objects, "a label image")):
            if not path:
                raise PatchError(f"Choose {what} first: type its path or browse.")
        return open_patches(
            Path(request.path).expanduser(),
            objects=Path(request.objects).expanduser(),
            crops=crops,
            labels=request.labels or None,
            axes=request.axes,
            progress=progress,
            should_stop=should_stop,
        )
    origin: dict[str, Any] = {"layer": request.path, "labels_layer": request.objects}
    if all(request.files):  # the run can be opened again without the layers
        origin |= {"kind": "objects", "path": request.files[0], "objects": request.files[1]}
    return from_objects(
        request.array,
        request.objects_array,
        name=request.path,
        labels_name=request.objects,
        axes=request.axes,
        config=crops,
        rgb=request.rgb,
        columns=request.labels or None,
        origin=origin,
        progress=progress,
        should_stop=should_stop,
    )


def open_run(
    folder: str | Path,
    should_stop: Callable[[], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    layers: Sequence[OpenLayer] = (),
) -> Opened:
    """Open a saved run with its patches; without them if they are gone.

    Of a run that was interrupted before it had a map, the patches are opened.

    Parameters
    ----------
    folder : path
    should_stop, progress : callable, optional
    layers : sequence of OpenLayer
        What is open in the viewer, out of which the run may have been made.

    Raises
    ------
    RunError
        If it is no run, or damaged.
    PatchError
        If the images of an interrupted run are gone.
    LoadCancelled
    """
    folder = run_folder(Path(folder).expanduser()).resolve()
    if is_unfinished(folder) and not (folder / "config.json").is_file():
        unfinished = read_unfinished(folder)
        patches = reopen(unfinished.origin, progress=progress, should_stop=should_stop)
        sentence = f"The training of {unfinished.name} is not finished; resume it in Train map."
        return Opened(patches, sentence=sentence, unfinished=folder)
    run = Run.load(folder)
    Watch(progress, should_stop).step(0, 0)  # loading the network took its time
    said = list(run.notes)
    try:
        patches = reopen_patches(
            run, layers=layers, progress=progress, should_stop=should_stop, tell=said.append
        )
    except LoadCancelled:
        raise
    except PatchError as error:
        said.append(f"The map is open, but not its images: {error}")
        patches = without_images(run)
    stopped = Path(folder) if is_unfinished(folder) else None
    return Opened(patches, run, " ".join(said), stopped)
