"""What every reader hands over, and how it becomes a :class:`PatchSet`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from napari_patchmap.patches.watch import Watch

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
    few_sources : int, optional
        Opened without being read, but for patches of so many sources: see :class:`PatchSet`.
        Otherwise a set of a moderate size is decoded when it is opened, so that what is damaged
        is known from the start.
    mpp : float, optional
        Micrometres that a pixel of the images spans, if they say so.
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
    few_sources: int | None = None
    mpp: float | None = None

    def leave_out(self, reasons: Mapping[int, str]) -> None:
        """Leave out images by their row; why stands in ``skipped`` then, in a few words."""
        kept = np.setdiff1d(np.arange(len(self.table)), list(reasons))
        of, frame = self.table["source"], self.table["frame"]
        several = (frame > 0) | of.duplicated(keep=False)
        for row, why in sorted(reasons.items()):
            name = f"{of.iloc[row]} [{frame.iloc[row]}]" if several.iloc[row] else of.iloc[row]
            self.skipped.append(Skipped(str(name), why))
        self.images = as_images(self.images).picked(kept)
        self.table = self.table.iloc[kept].reset_index(drop=True)
        if self.names is not None:
            self.names = [self.names[i] for i in kept.tolist()]


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
    columns: Sequence[str] = (),
) -> PatchSet:
    """Join the labels, leave out what holds no finite pixels, and make the set.

    Raises
    ------
    PatchError
        If the labels, ``label_column``, ``columns`` or ``channels`` do not fit, no image is
        left, or the sizes differ and ``sizes`` was not chosen.
    """
    if labels is not None:
        source.table, said, own = join_labels(
            source.table, labels, source.names, name, source.from_names, watch
        )
        source.notes += said
        source.label_from = own if own is not None else source.label_from
    if label_column:
        source.table, source.label_from = choose_label(
            source.table, label_column, source.label_from, name
        )
    check_columns(columns, source.table.columns, name)
    source.notes += case_notes(source.table)
    source.images = as_images(source.images)
    if source.fingerprint is not None:
        _keep_decoded(source, source.images, source.fingerprint, name, watch)
    if channels is not None:
        picked = pick_channels(source.channel_names, channels, name)
        source.images = source.images.with_channels(picked)
        source.channel_names = tuple(source.channel_names[i] for i in picked)
    bad = not_finite(source.images, watch)
    if bad:
        if len(bad) == len(source.table):
            raise PatchError(
                f"All {len(bad):,} images of {name} hold NaN or infinite pixels; replace them "
                "by numbers (for example with numpy.nan_to_num) and load again."
            )
        source.leave_out(dict.fromkeys(bad, "holds NaN or infinite pixels"))
    return PatchSet(
        images=source.images,
        table=source.table,
        channel_names=source.channel_names,
        name=name,
        origin={**origin, "count": len(source.table)},
        fit=sizes,
        skipped=source.skipped,
        notes=source.notes,
        label_from=source.label_from,
        few_sources=source.few_sources,
        mpp=source.mpp,
    )


def check_columns(wanted: Sequence[str], known: Iterable[str], name: str) -> None:
    """Raise a :class:`PatchError` that names a wanted column which is not there."""
    there = list(dict.fromkeys(map(str, known)))
    for column in wanted:
        if column not in there:
            raise PatchError(
                f"{name} has no column {column}; choose one of {', '.join(there)}, or load it "
                "with the labels."
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


def _keep_decoded(
    source: Source, images: Images, fingerprint: str, name: str, watch: Watch
) -> None:
    """Keep what is decoded of costly images; leave out those known to be damaged.

    Sets of a moderate size are decoded at once, so that what is damaged is known
    from the start; larger ones open in seconds and are decoded as they are used.

    Raises
    ------
    PatchError
        If all are damaged, or there is no room.
    LoadCancelled
    """
    source.images = cached = CachedImages(images, fingerprint)
    if (source.few_sources is None and cached.nbytes <= _AT_ONCE) or images.sequential:
        cached.decode_all(watch)
    if cached.trouble:
        source.notes.append(
            f"The cache {cache_folder()} could not be used ({cached.trouble}); the patches are "
            "not kept for the next time."
        )
    if len(cached.damaged) == len(cached):
        raise PatchError(f"None of the images of {name} can be read: {cached.damaged[0]}")
    if cached.damaged:
        source.leave_out(cached.damaged)


def not_finite(images: Images, watch: Watch) -> list[int]:
    """Say which images hold NaN or infinity; whole numbers never do."""
    if images.dtype.kind != "f":
        return []
    bad = []
    for i in range(len(images)):
        if i % _CHUNK == 0:
            watch.step(i, len(images))
        if not np.isfinite(images[i]).all():
            bad.append(i)
    watch.step(len(images), len(images))
    return bad
