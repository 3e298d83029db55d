"""What other panels hand to the gallery of a viewer and hear of it, open or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.viewer import Viewer
from psygnal import Signal

from napari_patchmap.explore.ordering import Order
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.patchset import same_patches
from napari_patchmap.plugin.of_viewer import OnePerViewer
from napari_patchmap.plugin.workspace import workspace_of


class GalleryHooks(OnePerViewer):
    """Orders that are offered for the gallery, and patches that it is to show.

    What was offered goes when other patches are loaded.

    Attributes
    ----------
    chosen : str
        Name of the offered order that the gallery follows, "" while it is another.
    sorted_by : tuple of (str, str, bool), or None
        Kind and name of the order of the gallery, and whether the largest comes first.
    side : int or None
        Longer side of the pictures in the gallery in pixels, None while nobody changed it.

    Signals
    -------
    changed()
        Orders were offered or withdrawn, or another was chosen.
    wanted(ndarray, str)
        The gallery is to show these patches, and to say so.
    image_dropped(str)
        A file was dropped onto the gallery: patches like it are wanted.
    sorting_changed()
        The gallery is sorted in another way.
    sorting_wanted()
        It is to be sorted as ``sorted_by`` says.
    side_changed()
        The pictures have another size, or are to have it.
    """

    changed = Signal()
    wanted = Signal(object, str)
    image_dropped = Signal(str)
    sorting_changed = Signal()
    sorting_wanted = Signal()
    side_changed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        self._workspace = workspace = workspace_of(viewer)
        self._orders: dict[str, Order] = {}
        self._measured: set[str] = set()
        self._patches: PatchSet | None = None  # those that they are of
        self.chosen = ""
        self._asked = np.empty(0, np.intp)
        self.sorted_by: tuple[str, str, bool] | None = None
        self.side: int | None = None
        workspace.patches_changed.connect(self._on_patches)
        workspace.selection_changed.connect(self._on_selection)
        workspace.measured_changed.connect(self._on_measured)
        self._on_measured()

    def _on_measured(self) -> None:
        """Offer what was measured of each patch, the least reliable first."""
        measured = self._workspace.measured
        for name in self._measured - set(measured):
            self.withdraw(name)
        self._measured = set(measured)
        for name, values in measured.items():
            self.offer(name, values)

    @property
    def offered(self) -> dict[str, Order]:
        """Orders of the current patches by name, in the order in which they were offered."""
        return self._orders if same_patches(self._patches, self._workspace.patches) else {}

    def offer(
        self,
        name: str,
        values: Any,
        descending: bool = False,
        texts: Sequence[str] | None = None,
        said: str = "",
        choose: bool = False,
    ) -> None:
        """Offer an order by values of all patches; one of the same name is replaced.

        Parameters
        ----------
        name : str
            What people read in the list of orders, such as "Confidence".
        values : array_like, shape (n,)
            One a patch: numbers or text; NaN, None and "" come last.
        descending : bool
            Whether the largest comes first; people can turn it round.
        texts : sequence of str, optional
            What is written on each picture; the value, to three digits, when not given.
        said : str
            How the values came about, for the tooltip.
        choose : bool
            Sort by it at once.

        Raises
        ------
        ValueError
            If there is not exactly one value, and one text, for each patch.
        """
        patches = self._workspace.patches
        order = Order(name, values, descending, texts, said)
        count = 0 if patches is None else len(patches)
        if not len(order) == count == (count if texts is None else len(texts)):
            raise ValueError(f"{name!r} must have one value and one text for each patch")
        self._orders, self._patches = {**self.offered, name: order}, patches
        self.chosen = name if choose else self.chosen
        self.changed.emit()

    def withdraw(self, name: str) -> None:
        """Offer an order no more; the gallery goes back to its own."""
        if name in self.offered:
            del self._orders[name]
            self.chosen = "" if self.chosen == name else self.chosen
            self.changed.emit()

    def sort(self, kind: str, name: str, descending: bool) -> None:
        """Sort the gallery as it was before; nothing happens where that cannot be any more."""
        self.sorted_by = kind, name, descending
        self.sorting_wanted.emit()

    def note_sorting(self, kind: str, name: str, descending: bool) -> None:
        """Hear from the gallery how it is sorted."""
        if self.sorted_by != (kind, name, descending):
            self.sorted_by = kind, name, descending
            self.sorting_changed.emit()

    def set_side(self, side: int) -> None:
        """Have the pictures of the gallery in this size, or hear that they are."""
        if side != self.side:
            self.side = side
            self.side_changed.emit()

    def show(self, indices: np.ndarray, sentence: str) -> None:
        """Show these patches in the gallery until something is selected elsewhere.

        Parameters
        ----------
        indices : ndarray of int, shape (m,)
            No patch twice. In this order while the gallery is not sorted.
        sentence : str
            What they are, said above them.
        """
        self.wanted.emit(np.asarray(indices, np.intp), sentence)

    def ask_each(self, indices: np.ndarray, sentence: str) -> None:
        """Show these patches, and look at one after the other as they are answered.

        It ends where patches are selected, for then a class goes to all of those.

        Parameters
        ----------
        indices, sentence
            As above, at least one patch.
        """
        self._workspace.clear_selection()
        self._asked = np.asarray(indices, np.intp)
        self.show(indices, sentence)
        self._workspace.set_current(int(self._asked[0]))

    def asks(self, patch: int) -> bool:
        """Whether a patch is one of those that are asked now."""
        return bool((self._asked == patch).any())

    def answered(self, patch: int) -> None:
        """Go on to the one that is asked after this patch, if it was asked at all."""
        at = np.flatnonzero(self._asked == patch)
        if len(at) and at[0] + 1 < len(self._asked):
            self._workspace.set_current(int(self._asked[at[0] + 1]))
        elif len(at):
            self._workspace.say("That was the last of these.")

    def _on_selection(self, selection: np.ndarray) -> None:
        if len(selection):
            self._asked = self._asked[:0]

    def _on_patches(self, _: object) -> None:
        self._orders, self.chosen, self.sorted_by = {}, "", None
        self._asked = self._asked[:0]
        self.changed.emit()
