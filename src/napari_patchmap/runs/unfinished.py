"""Runs that were interrupted: which there are, whose they are, and forgetting them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from os.path import exists
from pathlib import Path
from typing import Any

from napari_patchmap.errors import RunError
from napari_patchmap.foreign import words
from napari_patchmap.kind import Kind, known_origin
from napari_patchmap.lock import alone_in
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.checkpoint import (
    is_unfinished,
    read_state,
    remove_checkpoint,
    state_file,
)
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.runs.run_folder import discard, recover
from napari_patchmap.runs.run_places import read_all

#: What of an origin changes when images are moved.
_PLACES = ("path", "labels", "objects")


@dataclass(frozen=True)
class Unfinished:
    """What the last checkpoint of a run says of it."""

    folder: Path
    name: str
    """The patches' name."""
    origin: dict[str, Any]
    """How to open the patches again."""
    config: RunConfig
    stage: int
    """The stage it is in, from 1, ..."""
    stages: int
    """... and how many there are."""
    seconds: float
    """Time trained so far."""
    written: datetime
    """When the checkpoint was written, local time."""
    has_map: bool
    """Whether it was saved with a map when it was stopped."""

    def is_of(self, patches: PatchSet) -> bool:
        """Whether it was started with patches of this name and origin.

        If they are no longer where they were, they may lie elsewhere now. Their pixels
        are not compared; resuming does that.
        """
        origin = json.loads(json.dumps(patches.origin, default=str))
        origin.pop("planes", None)  # known only of what was opened again
        if self.name == patches.name and self.origin == origin:
            return True
        before = str(self.origin.get("path") or "")
        moved = bool(before) and self.origin.get("kind") != Kind.LAYER and not exists(before)
        return moved and _options(self.origin) == _options(origin)


def _options(origin: dict[str, Any]) -> dict[str, Any]:
    """Return how patches are opened, without where they are."""
    return {key: value for key, value in origin.items() if key not in _PLACES}


def read_unfinished(folder: str | Path) -> Unfinished:
    """Read what an interrupted run is; no tensors are read.

    Raises
    ------
    RunError
        If there is nothing to resume in the folder, or it is damaged.
    """
    folder = Path(folder).expanduser().resolve()
    recover(folder)
    path = state_file(folder)
    saved = read_state(path, tensors=False)
    try:
        return Unfinished(
            folder=folder,
            name=str(saved["name"]),
            origin=known_origin(saved["origin"]),
            config=RunConfig.from_dict(saved["config"]),
            stage=int(saved["stage"]) + 1,
            stages=len(saved["plan"]["stages"]),
            seconds=float(saved["seconds"]),
            written=datetime.fromtimestamp(path.stat().st_mtime),
            has_map=(folder / "config.json").is_file(),
        )
    except Exception as error:  # a damaged file may raise anything
        raise RunError(f"{path} is damaged ({words(error)}); start the run anew.") from error


def find_unfinished(patches: PatchSet, watch: Watch = UNWATCHED) -> list[Unfinished]:
    """Return the interrupted runs of some patches, started from napari, the newest first."""
    found = [one for one in read_all(read_unfinished, watch=watch) if one.is_of(patches)]
    return sorted(found, key=lambda one: one.written, reverse=True)


def discard_unfinished(run: Unfinished) -> None:
    """Forget how to resume a run; a map that was saved with it stays.

    Raises
    ------
    RunError
        If the files cannot be removed, or it is being trained.
    """
    with alone_in(run.folder):
        remove_checkpoint(run.folder)
    if is_unfinished(run.folder):
        raise RunError(
            f"{run.folder} cannot be removed; remove it by hand when nothing uses it any more."
        )
    if not run.has_map:
        discard(run.folder)
