"""What a patch set consists of, and what is known of it without any scaling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from napari_patchmap.errors import MixedSizesError, PatchError
from napari_patchmap.kind import Kind
from napari_patchmap.patches.axes import RGB
from napari_patchmap.patches.box_table import BOX_COLUMNS, labels_of
from napari_patchmap.patches.fit import FITS, Fit, explain_sizes
from napari_patchmap.patches.images import Images, as_images
from napari_patchmap.patches.intensity import Intensity
from napari_patchmap.patches.own_rows import OwnRows
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Longest side in pixels at which patches are trained when nothing is said.
LONGEST_SIDE = 64

#: How many patches are looked at to measure intensities and border colour.
_SAMPLE = 2_000


@dataclass(frozen=True)
class Skipped:
    """An image that was left out, and why, in a few words."""

    source: str
    reason: str


@dataclass(eq=False)
class PatchParts:
    """What patches are made of; see :class:`~napari_patchmap.patches.patchset.PatchSet`.

    Row ``i`` of the table, and of every array made from the set, is patch ``i``.

    Parameters
    ----------
    images : Images, ndarray (n, height, width, channel), or list of (height, width, channel)
        The pixels, read when they are wanted; arrays are wrapped. One dtype and
        one channel count.
    table : DataFrame
        One row a patch: ``source`` (file or layer), ``frame`` (index in a stack,
        0 otherwise), ``y``, ``x``, ``height``, ``width`` (pixel box in that
        source, at its full resolution), ``label`` if there are labels, and the
        user's own columns.
    channel_names : tuple of str
        One name a channel; ``("red", "green", "blue")`` marks a colour image.
    name : str
        What people call the set, for titles and folder names.
    origin : dict
        How to open the set again (``kind``, ``path`` and options), saved with a run.
    fit : {"resize", "crop", "pad"}, optional
        How patches of other sizes are brought to the common size. Required
        when the sizes differ.
    intensity : Intensity, optional
        Scaling to 8 bits; measured over the set when not given.
    skipped : list of Skipped
        Images that could not be used.
    notes : list of str
        What people should know of how the images were read, a sentence each.
    label_from : str
        What the labels are called where they come from: ``folder``, or a column of a
        table; see :mod:`napari_patchmap.patches.labels.choice`.
    few_sources : int, optional
        Of how many sources patches are looked at when the set is measured, where each is
        costly to read; of any number when None.
    own : OwnRows, optional
        Features of people's own, a row a patch.
    mpp : float, optional
        Micrometres that a pixel of the patches spans, where their source says so.
    missing : ndarray of int
        Patches of a saved run whose images are not there any more, in order; their rows
        stay, and a picture that says so stands for them. All of them where there are no
        pictures at all.

    Raises
    ------
    PatchError
        If the set is empty or the table does not match.
    MixedSizesError
        If the sizes differ and ``fit`` was not chosen.
    """

    images: Images
    table: pd.DataFrame
    channel_names: tuple[str, ...]
    name: str = "patches"
    origin: dict[str, Any] = field(default_factory=dict)
    fit: Fit | None = None
    intensity: Intensity | None = None
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    label_from: str = ""
    few_sources: int | None = None
    mpp: float | None = None
    missing: np.ndarray = field(default_factory=lambda: np.empty(0, np.intp))
    own: OwnRows | None = None

    def __post_init__(self) -> None:
        if len(self.images) == 0:
            raise PatchError(f"{self.name} holds no images; choose another folder or file.")
        self.images = as_images(self.images)
        if len(self.images) != len(self.table):
            raise PatchError(
                f"{self.name} has {len(self.images)} patches but a table of {len(self.table)} "
                "rows; they must be the same patches in the same order."
            )
        missing = [c for c in BOX_COLUMNS if c not in self.table]
        if missing:
            raise PatchError(f"The table of {self.name} lacks the column {missing[0]!r}.")
        self.table = self.table.reset_index(drop=True)
        if not self.pictured:
            self.missing = np.arange(len(self))
        if self.mixed_sizes and self.fit is None:
            raise MixedSizesError(explain_sizes(self.name, self.images.size_counts))
        if self.fit is not None and self.fit not in FITS:
            raise PatchError(f"Sizes can be handled by {', '.join(FITS)}, not {self.fit!r}.")
        if self.intensity is None:
            self.intensity = Intensity.measure(self._looked_at(), self.dtype, self.channels)
        elif len(self.intensity.low) != self.channels:
            raise PatchError(
                f"{self.name} has {self.channels} channel(s) but {len(self.intensity.low)} "
                "are expected here; use images of the same kind."
            )

    # -- one patch ---------------------------------------------------------

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> np.ndarray:
        """Return patch ``index`` as ``(height, width, channel)`` in the source's dtype."""
        return self.images[index]

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return patches of one size as ``(n, height, width, channel)`` in the source's dtype.

        Raises
        ------
        ValueError
            If their sizes differ.
        """
        return self.images.take(indices)

    def picked(self, rows: np.ndarray) -> Self:
        """Return the set with these of its patches, in this order; nothing is read."""
        rows = np.asarray(rows, np.intp)
        return replace(
            self,
            images=self.images.picked(rows),
            table=self.table.iloc[rows].reset_index(drop=True),
            missing=np.flatnonzero(np.isin(rows, self.missing)),
            own=None if self.own is None else self.own.picked(rows),
        )

    def stack(self) -> np.ndarray:
        """Return all patches, of one size, as one array in memory; see :meth:`take`."""
        return self.take(np.arange(len(self)))

    # -- what is in it -----------------------------------------------------

    @property
    def dtype(self) -> np.dtype:
        """Pixel type of the source."""
        return self.images.dtype

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.images.channels

    @property
    def pictured(self) -> bool:
        """Whether its patches are images; if not they are points: rows of features alone."""
        return self.origin.get("kind") != Kind.POINTS

    @property
    def is_rgb(self) -> bool:
        """Whether the channels are red, green and blue, so that colour means something."""
        return self.channel_names == RGB

    @cached_property
    def labels(self) -> np.ndarray | None:
        """Label of every patch as text ("" where missing), or None without labels."""
        return labels_of(self.table)

    def label_counts(self) -> pd.Series:
        """Count the patches of each label, most frequent first (empty without labels)."""
        return self._label_counts

    @cached_property
    def _label_counts(self) -> pd.Series:
        if self.labels is None:
            return pd.Series(dtype=int)
        return pd.Series(self.labels).value_counts()

    def size_counts(self) -> dict[tuple[int, int], int]:
        """Count the patches of each (height, width), most frequent first."""
        return self.images.size_counts

    @property
    def mixed_sizes(self) -> bool:
        """Whether the patches differ in size."""
        return not self.images.uniform

    def all_identical(self, watch: Watch = UNWATCHED) -> bool:
        """Whether every patch has the same pixels; ends at the first that differs.

        ``watch`` may end it before.
        """
        first = self[0]
        for index in range(1, len(self)):
            watch.check()
            if not np.array_equal(first, self.images[index]):
                return False
        return True

    @property
    def common_size(self) -> tuple[int, int]:
        """The most frequent (height, width) in pixels."""
        return next(iter(self.images.size_counts))

    def training_size(self, longest: int | None = None) -> tuple[int, int]:
        """Return the (height, width) at which the set is trained.

        The common size, scaled down, never up, until the longer side is
        ``longest`` pixels (64 when None). Aspect is kept.
        """
        height, width = self.common_size
        scale = min(1.0, (longest or LONGEST_SIDE) / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))

    @property
    def resolution(self) -> float | None:
        """Micrometres per pixel of the patches: of their source, or of a column ``mpp``."""
        if self.mpp is not None or "mpp" not in self.table:
            return self.mpp
        middle = float(pd.to_numeric(self.table["mpp"], errors="coerce").median())
        return middle if middle > 0 else None

    def is_missing(self, index: int) -> bool:
        """Whether the image of a patch is not there any more."""
        place = int(np.searchsorted(self.missing, index))
        return place < len(self.missing) and int(self.missing[place]) == index

    # -- looking at some of them ------------------------------------------------------

    def _looked_at(self) -> Iterator[np.ndarray]:
        """Go through patches spread over the set, of few sources past damaged ones."""
        read, damage = 0, None
        for index in self.spread().tolist():
            try:
                patch = self.images[index]
            except PatchError as error:
                damage = error
                if self.few_sources is None:
                    raise
                continue
            read += 1
            yield patch
        if damage is not None and not read:
            raise damage

    def spread(self) -> np.ndarray:
        """Indices of at most ``_SAMPLE`` patches spread over the set; none that is missing."""
        there = np.arange(len(self))
        if 0 < len(self.missing) < len(self):
            there = np.delete(there, self.missing)
        if self.few_sources is not None:
            source = pd.factorize(self.table["source"].to_numpy(object)[there])[0]
            few = np.linspace(0, source.max(), min(self.few_sources, source.max() + 1))
            there = there[np.isin(source, few.astype(int))]
        places = np.linspace(0, len(there) - 1, min(len(there), _SAMPLE)).astype(int)
        return there[np.unique(places)]
