"""What every reader hands over, and how it becomes a :class:`PatchSet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.cache.cache_folder import cache_folder
from napari_patchmap.patches.cache.cached import CachedImages
from napari_patchmap.patches.fit import Fit
from napari_patchmap.patches.images import Images, as_images
from napari_patchmap.patches.labels.choice import case_notes, choose_label
from napari_patchmap.patches.labels.join import Labels, join_labels
from napari_patchmap.patches.labels.patterns import columns_from_pattern
from napari_patchmap.patches.patchset import PatchSet, Skipped
from napari_patchmap.patches.watch import LoadCancelled as LoadCancelled
from napari_patchmap.patches.watch import OnProgress as OnProgress
from napari_patchmap.patches.watch import Watch as Watch

#: Sets that take fewer bytes than this are decoded when they are opened.
_AT_ONCE = 2**30

#: How many patches are looked at in one go when all pixels must be read.
_CHUNK = 256


@dataclass
class Source:
    """Images as a reader found them.

    Parameters
    ----------
    images : Images, ndarray (n, height, width, channel), or list of (height, width, channel)
    table : DataFrame
        One row an image, with the columns of :func:`patchset.box_table`.
    channel_names : tuple of str
    names : sequence of str, optional
        File name of each image, by which a labels file may refer to it.
    notes : list of str
        What the user should know of how the images were read.
    skipped : list of Skipped
    fingerprint : str, optional
        Set by a reader whose pixels are costly to decode: changes whenever the
        files or an option that changes pixels do. Such images are copied to
        the cache.
    from_names : sequence of str
        Columns of the table that a pattern took from the file names.
    label_from : str
        What the labels are called where they come from, such as ``folder``.
    """

    images: Images | np.ndarray | Sequence[np.ndarray]
    table: pd.DataFrame
    channel_names: tuple[str, ...]
    names: Sequence[str] | None = None
    notes: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    fingerprint: str | None = None
    from_names: Sequence[str] = ()
    label_from: str = ""


def add_pattern_columns(source: Source, pattern: str, where: str, watch: Watch) -> None:
    """Add the columns that a pattern takes out of the file names of a source.

    A label of the pattern wins over one from the folders, which becomes ``folder``.

    Raises
    ------
    PatchError
        See :func:`columns_from_pattern`.
    LoadCancelled
    """
    columns, notes = columns_from_pattern(source.names or [], pattern, where, watch)
    if "label" in columns:
        source.table = source.table.rename(columns={"label": "folder"})
        source.label_from = "label (file name)"
    source.table = source.table.assign(**columns)
    source.notes += notes
    source.from_names = tuple(columns)


def finish(
    source: Source,
    *,
    name: str,
    origin: dict[str, Any],
    sizes: Fit | None,
    labels: Labels | None,
    watch: Watch,
    channels: Sequence[str] | None = None,
    label_column: str | None = None,
) -> PatchSet:
    """Join the labels, leave out what holds no finite pixels, and make the set.

    Raises
    ------
    PatchError
        If the labels, ``label_column`` or ``channels`` do not fit, no image is left, or the
        sizes differ and ``sizes`` was not chosen.
    """
    table, notes, label_from = source.table, list(source.notes), source.label_from
    if labels is not None:
        table, said, own = join_labels(
            table, labels, source.names, name, source.from_names, watch
        )
        notes += said
        label_from = own if own is not None else label_from
    if label_column:
        table, label_from = choose_label(table, label_column, label_from, name)
    notes += case_notes(table)
    images, skipped = as_images(source.images), list(source.skipped)
    if source.fingerprint is not None:
        images, table, damaged, said = _cached(images, table, source.fingerprint, name, watch)
        skipped += damaged
        notes += said
    channel_names = source.channel_names
    if channels is not None:
        picked = pick_channels(channel_names, channels, name)
        images = images.with_channels(picked)
        channel_names = tuple(channel_names[i] for i in picked)
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
        good = np.flatnonzero(~bad)
        images, table = images.picked(good), table.iloc[good]
    return PatchSet(
        images=images,
        table=table,
        channel_names=channel_names,
        name=name,
        origin={**origin, "count": len(table)},
        fit=sizes,
        skipped=skipped,
        notes=notes,
        label_from=label_from,
    )


def pick_channels(known: Sequence[str], wanted: Sequence[str], name: str) -> list[int]:
    """Return which channels have the wanted names; case does not matter, numbers count from 1.

    Raises
    ------
    PatchError
        If there is no such channel, or none is wanted.
    """
    by_name = {channel.casefold(): i for i, channel in enumerate(known)}
    listed = ", ".join(known)
    picked = []
    for channel in wanted:
        index = by_name.get(channel.strip().casefold())
        if index is None and channel.strip().isdigit():
            index = int(channel) - 1
        if index is None or not 0 <= index < len(known):
            raise PatchError(f"{name} has no channel {channel!r}; choose among {listed}.")
        if index in picked:
            raise PatchError(f"The channel {channel!r} of {name} is chosen twice; say it once.")
        picked.append(index)
    if not picked:
        raise PatchError(f"No channel of {name} was chosen; choose among {listed}.")
    return picked


def _cached(
    images: Images, table: pd.DataFrame, fingerprint: str, name: str, watch: Watch
) -> tuple[Images, pd.DataFrame, list[Skipped], list[str]]:
    """Keep what is decoded of costly images; leave out those known to be damaged.

    Sets of a moderate size are decoded at once, so that what is damaged is known
    from the start; larger ones open in seconds and are decoded as they are used.

    Raises
    ------
    PatchError
        If all are damaged, or there is no room.
    LoadCancelled
    """
    cached = CachedImages(images, fingerprint)
    if cached.nbytes <= _AT_ONCE or images.sequential:
        cached.decode_all(watch)
    reasons = dict(sorted(cached.damaged.items()))
    notes = []
    if cached.trouble:
        notes.append(
            f"The cache {cache_folder()} could not be used ({cached.trouble}); the patches are "
            "not kept for the next time."
        )
    if not reasons:
        return cached, table, [], notes
    if len(reasons) == len(table):
        raise PatchError(f"None of the images of {name} can be read: {reasons[0]}")
    kept = np.setdiff1d(np.arange(len(table)), list(reasons))
    skipped = [Skipped(_name_of(table, i), why) for i, why in reasons.items()]
    return cached.picked(kept), table.iloc[kept], skipped, notes


def not_finite(images: Images, watch: Watch) -> np.ndarray:
    """Say which images hold NaN or infinity, ``(n,)`` bool; whole numbers never do."""
    count = len(images)
    bad = np.zeros(count, bool)
    if images.dtype.kind != "f":
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
