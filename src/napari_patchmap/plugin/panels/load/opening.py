"""Opens what a person asked for: runs in a worker, knows nothing of widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_patchmap.errors import PatchError
from napari_patchmap.explore.first_look import look_at_first
from napari_patchmap.patches import (
    Kind,
    OpenRequest,
    PatchSet,
    bundled_cells,
    from_array,
    from_objects,
    open_patches,
    reopen,
)
from napari_patchmap.patches.source import pick_channels
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.plugin.qt.known_files import run_folder
from napari_patchmap.runs import (
    OpenLayer,
    Placed,
    Run,
    is_unfinished,
    read_unfinished,
    reopen_patches,
    without_images,
)
from napari_patchmap.runs.annotation_place import key_of_set
from napari_patchmap.runs.given_for_new import check_given, with_given
from napari_patchmap.runs.session_file import SavedSession, read_session

#: What has to be chosen, by kind.
_WANTED = {Kind.FOLDER: "a folder", Kind.SLIDES: "a slide", Kind.RUN: "a run folder"}


@dataclass(frozen=True)
class Request:
    """What a person asked for: files, layers of the viewer, the sample, or a saved run."""

    kind: Kind
    #: What to open and how; the path of a run is its folder.
    what: OpenRequest = field(default_factory=OpenRequest)
    #: Open layers that the patches, or the objects of them, are taken from, and the files
    #: from which the two were opened, "" where unknown.
    image: OpenLayer | None = None
    objects: OpenLayer | None = None
    files: tuple[str, str] = ("", "")
    #: For a run: what is open in the viewer, out of which it may have been made.
    layers: tuple[OpenLayer, ...] = ()


@dataclass(frozen=True)
class Opened:
    """Patches, with the run they belong to if one was opened, and what to say of it."""

    patches: PatchSet
    run: Run | None = None  # one that has a map
    sentence: str = ""
    unfinished: Path | None = None  # folder of a training of these patches
    session: SavedSession | None = None  # how a window on the run was left

    def __post_init__(self) -> None:
        # Looked up while the window waits for nobody; images have to be read for it.
        _ = self.patches.eyes
        look_at_first(self.patches)
        key_of_set(self.patches)


def open_request(request: Request, watch: Watch) -> Opened:
    """Open patches, or a saved run with its patches.

    Raises
    ------
    PatchmapError
        If it cannot be opened; the sentence says why.
    """
    what, kind = request.what, request.kind
    if kind is Kind.SAMPLE:
        return Opened(bundled_cells())
    if request.objects is not None:
        return Opened(_open_objects(request, request.objects, watch))
    if request.image is not None:
        return Opened(
            from_array(
                request.image.array,
                name=request.image.name,
                axes=what.axes,
                rgb=request.image.rgb,
                labels=what.labels,
                origin=_layer_origin(request.image.name, request.files[0]),
            )
        )
    if not what.path:
        wanted = _WANTED.get(kind, "a file")
        raise PatchError(f"Choose {wanted} first: type its path, browse, or drop it here.")
    if kind is Kind.RUN:
        return _open_run(Path(what.path), request.layers, watch)
    if kind is Kind.SLIDES and what.tiles is None and what.objects is None:
        what = what.but(tiles=TileConfig())  # what else it may be, these are slides
    return Opened(open_patches(what, watch=watch))


def place_request(
    request: Request, run: Run, features: str | None, columns: str | None, watch: Watch
) -> tuple[PatchSet, Placed]:
    """Open patches and place them on the map of a run, by a file of features if it needs one.

    Raises
    ------
    PatchmapError
        If they cannot be opened, or the map needs other features.
    """
    check_given(run, features, request.what if request.what.path else None)
    patches = open_request(request, watch).patches
    if features:
        patches = with_given(run, patches, features, columns, watch)
    return patches, run.place(patches, watch)


def keep_channels(patches: PatchSet, wanted: Sequence[str]) -> PatchSet:
    """Return a set with these channels only; a saved run opens it so again.

    A :class:`PatchError` says if there is no such channel, or none is wanted.
    """
    picked = pick_channels(patches.channel_names, wanted, patches.name)
    names = tuple(patches.channel_names[i] for i in picked)
    return replace(
        patches,
        images=patches.images.with_channels(picked),
        channel_names=names,
        origin={**patches.origin, "channels": list(names)},
        intensity=None,
    )


def _open_objects(request: Request, objects: OpenLayer, watch: Watch) -> PatchSet:
    """Cut crops around the objects of a Labels layer."""
    image, what = request.image, request.what
    if image is None:
        raise PatchError("Choose the image that the objects are cut out of first.")
    origin: dict[str, Any] = {"layer": image.name, "labels_layer": objects.name}
    if all(request.files):  # the run can be opened again without the layers
        path, labels = request.files
        origin |= {"kind": str(Kind.OBJECTS), "path": path, "objects": labels}
    return from_objects(
        image.array,
        objects.array,
        name=image.name,
        labels_name=objects.name,
        axes=what.axes,
        config=what.crops,
        rgb=image.rgb,
        columns=what.labels,
        origin=origin,
        watch=watch,
    )


def _layer_origin(name: str, file: str) -> dict[str, str]:
    """Say which layer patches are of, and the file by which a run finds them without it."""
    return {"layer": name, "file": file} if file else {"layer": name}


def _open_run(folder: Path, layers: Sequence[OpenLayer], watch: Watch) -> Opened:
    """Open a saved run with its patches; without them if they are gone.

    Of a run that was interrupted before it had a map, the patches are opened.
    """
    folder = run_folder(folder.expanduser()).resolve()
    if is_unfinished(folder) and not (folder / "config.json").is_file():
        unfinished = read_unfinished(folder)
        patches = reopen(unfinished.origin, watch)
        sentence = f"The training of {unfinished.name} is not finished; resume it in Train map."
        return Opened(patches, sentence=sentence, unfinished=folder)
    run = Run.load(folder)
    watch.step(0, 0)  # loading the network took its time
    said = list(run.notes)
    try:
        patches = reopen_patches(
            run,
            layers=layers,
            watch=watch,
            tell=said.append,
        )
    except LoadCancelled:
        raise
    except PatchError as error:
        said.append(f"The map is open, but not its images: {error}")
        patches = without_images(run)
    session, trouble = read_session(run)
    said += [trouble] if trouble else []
    resumable = folder if is_unfinished(folder) else None
    return Opened(patches, run, " ".join(said), resumable, session)
