"""What every reader hands over, and how it becomes a :class:`PatchSet`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.fit import Fit
from napari_patchmap.patches.labels import Labels, join_labels
from napari_patchmap.patches.patchset import Images, PatchSet, Skipped

#: Called with how many of how many images are done.
Progress = Callable[[int, int], None]

#: How many patches are looked at in one go when all pixels must be read.
_CHUNK = 256


class LoadCancelled(PatchError):
    """The user stopped the loading; there is nothing to mend."""


@dataclass(frozen=True)
class Watch:
    """Tells the caller how far loading is, and lets the caller stop it."""

    progress: Progress | None = None
    should_stop: Callable[[], bool] | None = None

    def step(self, done: int, total: int) -> None:
        """Report progress.

        Raises
        ------
        LoadCancelled
            If the caller wants to stop.
        """
        if self.should_stop is not None and self.should_stop():
            raise LoadCancelled("Loading was cancelled; nothing was changed.")
        if self.progress is not None:
            self.progress(done, total)


@dataclass
class Source:
    """Images as a reader found them.

    Parameters
    ----------
    images : ndarray (n, height, width, channel), or list of (height, width, channel)
    table : DataFrame
        One row an image, with the columns of :func:`patchset.box_table`.
    channel_names : tuple of str
    names : sequence of str, optional
        File name of each image, by which a labels file may refer to it.
    notes : list of str
        What the user should know of how the images were read.
    skipped : list of Skipped
    """

    images: Images
    table: pd.DataFrame
    channel_names: tuple[str, ...]
    names: Sequence[str] | None = None
    notes: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def finish(
    source: Source,
    *,
    name: str,
    origin: dict[str, Any],
    sizes: Fit | None,
    labels: Labels | None,
    watch: Watch,
) -> PatchSet:
    """Join the labels, leave out what holds no finite pixels, and make the set.

    Raises
    ------
    PatchError
        If the labels do not fit, no image is left, or the sizes differ and
        ``sizes`` was not chosen.
    """
    table, notes = source.table, list(source.notes)
    if labels is not None:
        table, said = join_labels(table, labels, source.names, name)
        notes += said
    images, skipped = source.images, list(source.skipped)
    bad = not_finite(images, watch)
    if bad.any():
        skipped += [
            Skipped(_name_of(table, i), "holds NaN or infinite pixels")
            for i in np.flatnonzero(bad).tolist()
        ]
        if bad.all():
            raise PatchError(
                f"All {len(bad):,} images of {name} hold NaN or infinite pixels; replace them "
                "by numbers (for example with numpy.nan_to_num) and load again."
            )
        good = np.flatnonzero(~bad).tolist()
        images = images[good] if isinstance(images, np.ndarray) else [images[i] for i in good]
        table = table.iloc[good]
    return PatchSet(
        images=images,
        table=table,
        channel_names=source.channel_names,
        name=name,
        origin={**origin, "count": len(table)},
        fit=sizes,
        skipped=skipped,
        notes=notes,
    )


def not_finite(images: Images, watch: Watch) -> np.ndarray:
    """Say which images hold NaN or infinity, ``(n,)`` bool; whole numbers never do."""
    count = len(images)
    bad = np.zeros(count, bool)
    if np.asarray(images[0]).dtype.kind != "f":
        return bad
    for start in range(0, count, _CHUNK):
        part = range(start, min(start + _CHUNK, count))
        for i in part:
            bad[i] = not np.isfinite(images[i]).all()
        watch.step(part.stop, count)
    return bad


def _name_of(table: pd.DataFrame, row: int) -> str:
    source, frame = table["source"].iloc[row], table["frame"].iloc[row]
    several = frame > 0 or (table["source"] == source).sum() > 1
    return f"{source} [{frame}]" if several else str(source)
