"""Saving a run now and then, so that nothing is lost whatever happens."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_patchmap.errors import TrainingError
from napari_patchmap.networks.pixels import Pixels
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.checkpoint import FEATURES, read_state, state_file, write_state

#: Writing checkpoints may take up to this share of the time.
_SHARE = 0.02

#: Patches by which a set that is not in memory is recognised.
_SAMPLE = 1024


class Checkpoints:
    """Writes the state of a run into its folder from time to time.

    Parameters
    ----------
    run : Path or None
        Folder of the run; without one nothing is written.
    every : float
        Seconds between two checkpoints, more where writing takes long.
    note : callable
        Told in one sentence when nothing can be written. Training goes on and
        tries again.
    """

    def __init__(self, run: Path | None, every: float, note: Callable[[str], None]) -> None:
        self._run, self._every, self._note = run, every, note
        self._next = time.monotonic() + every
        self._failed = False

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return self._run is not None and time.monotonic() >= self._next

    def write(self, state: dict[str, Any], features: dict[str, Tensor] | None = None) -> None:
        """Write a checkpoint now.

        Parameters
        ----------
        state : dict
            See :func:`napari_patchmap.runs.checkpoint.write_state`.
        features : dict, optional
            What belongs to all checkpoints from now on; written to a file beside.
        """
        if self._run is None:
            return
        began = time.monotonic()
        path = state_file(self._run)
        try:
            if features is not None:
                write_state(path.with_name(FEATURES), features)
            write_state(path, state)
            if self._failed:
                self._note("Checkpoints can be written again.")
            self._failed = False
        except OSError as error:
            if not self._failed:
                reason = error.strerror or " ".join(str(error).split())
                self._note(
                    f"No checkpoint can be written in {path.parent} ({reason}); training goes "
                    "on, but could not be resumed after an interruption. Free some space there."
                )
            self._failed = True
        now = time.monotonic()
        self._next = now + max(self._every, (now - began) / _SHARE)


def read_checkpoint(run: Path) -> dict[str, Any]:
    """Read the last checkpoint of a run's folder.

    Raises
    ------
    RunError
        If there is none, or it is damaged.
    """
    return read_state(state_file(run))


def read_features(run: Path) -> dict[str, Any]:
    """Read what was written beside the checkpoint.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    return read_state(state_file(run).with_name(FEATURES))


def digest(patches: PatchSet, pixels: Pixels) -> dict[str, str | None]:
    """Fingerprints of the images as the network sees them.

    Returns
    -------
    dict
        "some" of images spread over the set, and "all" of every one; None where they
        are not in memory.
    """
    count = min(_SAMPLE, len(pixels))
    chosen = torch.linspace(0, len(pixels) - 1, count).round().long()
    some = [pixels[chosen.to(pixels.device)]]
    whole = pixels.split(_SAMPLE) if isinstance(pixels, Tensor) else None
    about = repr((tuple(pixels.shape), patches.channel_names))
    return {
        "some": _fingerprint(about, some),
        "all": None if whole is None else _fingerprint(about, whole),
    }


def _fingerprint(about: str, parts: Iterable[Tensor]) -> str:
    found = hashlib.blake2b(about.encode(), digest_size=16)
    for part in parts:
        found.update(part.cpu().contiguous().numpy().data)
    return found.hexdigest()


def check_same_images(
    saved: dict[str, str | None], now: dict[str, str | None], patches: PatchSet, run: Path
) -> None:
    """Check that a run is resumed with the images it was started with.

    Every one is compared where all were in memory then and are now.

    Raises
    ------
    TrainingError
    """
    which = "all" if saved["all"] is not None and now["all"] is not None else "some"
    if saved[which] != now[which]:
        raise TrainingError(
            f"The images of {patches.name} are not those that the run in {run} was started "
            "with; restore them, or start another run in a new folder."
        )
