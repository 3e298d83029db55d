"""Saving a run now and then, so that nothing is lost whatever happens."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from torch import Tensor

from napari_patchmap.errors import TrainingError
from napari_patchmap.networks.pixels import Pixels, spread
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.checkpoint import FEATURES, read_state, state_file, write_state

#: Writing checkpoints may take up to this share of the time.
_SHARE = 0.02

#: Patches by which a set that is not in memory is recognised.
_SAMPLE = 1024


class Checkpoints:
    """Writes the state of a run into its folder, if it has one, from time to time.

    That is ``every`` so many seconds, more where writing takes long. ``note`` is told in a
    sentence when nothing can be written; training goes on and tries again.
    """

    def __init__(self, run: Path | None, every: float, note: Callable[[str], None]) -> None:
        self._run, self._every, self._note = run, every, note
        self._next = time.monotonic() + every
        self._failed = False

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return self._run is not None and time.monotonic() >= self._next

    def write(self, state: dict[str, Any], features: dict[str, Any] | None = None) -> None:
        """Write a checkpoint now, and beside it what belongs to all from now on."""
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


def read_features(run: Path) -> dict[str, Any]:
    """Read what was written beside the last checkpoint; RunError if it is damaged."""
    return read_state(state_file(run).with_name(FEATURES))


def digest(patches: PatchSet, pixels: Pixels) -> dict[str, str | None]:
    """Fingerprints of the images as the network sees them.

    "some" is that of images spread over the set, "all" that of every one; None where they
    are not in memory.
    """
    some = [spread(pixels, _SAMPLE)]
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
    """Raise a TrainingError unless a run is resumed with the images it was started with.

    Every one is compared where all were in memory then and are now.
    """
    which = "all" if saved["all"] is not None and now["all"] is not None else "some"
    if saved[which] != now[which]:
        raise TrainingError(
            f"The images of {patches.name} are not those that the run in {run} was started "
            "with; restore them, or start another run in a new folder."
        )
