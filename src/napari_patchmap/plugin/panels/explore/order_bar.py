"""By what the gallery is sorted: a list to choose from, and which way round."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from napari_patchmap.explore.ordering import Order, by_column, by_distance
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.workspace import workspace_of

_UNSORTED, _COLUMN, _DISTANCE, _OFFERED = "unsorted", "column", "distance", "offered"

#: Numbers that are sorted, or looked at, while the window waits: some milliseconds.
_AT_ONCE = 200_000

_TIP = (
    "Sort the pictures: by a column of the table, by distance to the current patch, or by "
    "what other panels offer (normally unsorted). Patches without a value come last."
)


class OrderBar(QWidget):
    """The order that was chosen for the gallery; it stays for other selections.

    Attributes
    ----------
    order : Order or None
        None while the patches are not sorted. Very many are sorted in the background, and
        the order before stays until then.

    Signals
    -------
    changed()
        Another order, or another direction.
    begun()
        Very many patches are being sorted; until that is ``changed`` all stays as it is.
    """

    changed = Signal()
    begun = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._workspace, self.hooks = workspace_of(viewer), GalleryHooks.of(viewer)
        self.order: Order | None = None
        self._near = -1  # the patch that distances are taken to
        self._down = False
        self._used: Order | None = None  # the offered one that is followed
        self._sorting, self._waits = Newest(self, "Sorting", self._on_sorted), False
        self.box = QComboBox()
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.box.setMinimumContentsLength(9)
        self.box.setMaximumWidth(150)
        self.box.setAccessibleName("Sort by")
        self.turn = QToolButton()
        self.turn.setAccessibleName("Direction")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.box)
        layout.addWidget(self.turn)
        self.box.activated.connect(self._on_chosen)
        self.turn.clicked.connect(self._on_turned)
        subscribe(self, self.hooks.changed, self._on_offers)
        subscribe(self, self.hooks.sorting_wanted, self._on_wanted)
        self.refill()
        self._on_wanted()

    @property
    def choice(self) -> tuple[str, str]:
        """What is chosen: a kind of order, and its name."""
        found = self.box.currentData()
        return (_UNSORTED, "") if found is None else tuple(found)

    # -- what there is to choose -----------------------------------------------------------

    def refill(self) -> None:
        """List the orders that there are now; what was chosen stays if it is among them."""
        before, patches = self.choice, self._workspace.patches
        self.box.blockSignals(True)
        self.box.clear()
        self.box.addItem("Unsorted", (_UNSORTED, ""))
        if patches is not None:
            for name in self.hooks.offered:
                self.box.addItem(name, (_OFFERED, name))
            self.box.addItem("Distance", (_DISTANCE, ""))
            for name in sorted(patches.table.columns, key=lambda name: name != "label"):
                self.box.addItem(str(name), (_COLUMN, str(name)))
        data = [tuple(self.box.itemData(row)) for row in range(self.box.count())]
        self.box.setCurrentIndex(data.index(before) if before in data else 0)
        self.box.blockSignals(False)
        self.box.setEnabled(patches is not None)
        if before not in data:
            self._forget()
        self._say()

    def start_anew(self) -> None:
        """List the orders of other patches; they are not sorted at first."""
        self.box.setCurrentIndex(0)
        self._down, self._near, self._used = False, -1, None
        self._forget()
        self.refill()

    def _forget(self) -> None:
        self._sorting.forget()
        self.order, self._waits = None, False

    def _on_offers(self) -> None:
        """Sort by what somebody has chosen, or by new values of what was chosen."""
        before = self.choice
        self.refill()
        if self.hooks.chosen:
            self._choose(_OFFERED, self.hooks.chosen)
        kind, name = self.choice
        offered = self.hooks.offered[name] if kind == _OFFERED else None
        if (kind, name) != before and offered is not None:
            self._down = offered.descending
        if (kind, name) != before or offered is not self._used:
            self._make()

    def _choose(self, kind: str, name: str) -> None:
        for row in range(self.box.count()):
            if tuple(self.box.itemData(row)) == (kind, name):
                self.box.setCurrentIndex(row)

    # -- what is chosen ----------------------------------------------------------------------

    def sort_by_distance(self, index: int) -> None:
        """Sort by the distance to a patch, the nearest first."""
        self._choose(_DISTANCE, "")
        self.hooks.chosen = ""
        self._near, self._down = index, False
        self._make()

    def look_from(self, index: int) -> None:
        """Take distances to another patch, where patches are sorted by distance."""
        if self.choice[0] == _DISTANCE and index >= 0 and index != self._near:
            self._near = index
            self._make()

    def _on_wanted(self) -> None:
        """Sort as a window on this run was left, if there is such an order."""
        if self.hooks.sorted_by is not None:
            kind, name, down = self.hooks.sorted_by
            self._choose(kind, name)
            if self.choice == (kind, name):
                self._near, self._down = self._workspace.current, down
                self._make()

    def _on_chosen(self, _: int) -> None:
        kind, name = self.choice
        self.hooks.chosen = name if kind == _OFFERED else ""
        self._near = self._workspace.current
        self._down = kind == _OFFERED and self.hooks.offered[name].descending
        self._make()

    def _on_turned(self) -> None:
        self._down = not self._down
        self._make()

    def _make(self) -> None:
        """Make the order that is chosen, and tell."""
        kind, name = self.choice
        patches, self._used = self._workspace.patches, None
        if patches is not None and kind == _COLUMN:
            self._sort(by_column(patches.table, name, self._down))
        elif patches is not None and kind == _OFFERED:
            self._used = one = self.hooks.offered[name]
            self._sort(Order(name, one.values, self._down, one.texts, one.said))
        elif kind == _DISTANCE:
            self._sort_by_distance()
        else:
            self._take(lambda: None, 0)

    def _sort(self, order: Order) -> None:
        def sort() -> Order:
            _ = order.sequence  # is kept
            return order

        self._take(sort, order.effort)

    def _take(self, make: Callable[[], Order | None], effort: int) -> None:
        """Take what is made: at once where that is quick, or when it is there."""
        if effort > _AT_ONCE:
            self._waits = True
            self._sorting.ask(lambda _: make())
            self._say()
            self.begun.emit()
        else:
            self._sorting.forget()
            self._on_sorted(make())

    def _on_sorted(self, order: Order | None) -> None:
        self.order, self._waits = order, False
        self._say()
        self.hooks.note_sorting(*self.choice, self._down)
        self.changed.emit()

    def _sort_by_distance(self) -> None:
        """Sort by distance in the feature space of the run if it has one, else on the map."""
        workspace, near, down = self._workspace, self._near, self._down
        if workspace.patches is None or not 0 <= near < len(workspace.patches):
            self._take(lambda: None, 0)
            return
        run, places = workspace.run, workspace.embedding
        if run is not None and run.dimensions:
            width, space = run.dimensions, "by features"
        elif places is not None:
            width, space = places.shape[1], "on the map"
        else:
            self._take(lambda: None, 0)
            return

        def sort() -> Order:
            if run is not None and run.dimensions:  # read here, where nobody waits
                order = by_distance(run.features, near, space, down, cosine=True)
            else:
                order = by_distance(np.asarray(places), near, space, down)
            _ = order.sequence
            return order

        count = len(workspace.patches)
        self._take(sort, count + count * width // 50)

    # -- what is said ------------------------------------------------------------------------

    @property
    def said(self) -> str:
        """What the patches are sorted by, for the line above them; "" if the list says it."""
        if self._waits:
            return "sorting…"
        if self.choice[0] != _DISTANCE:
            return "" if self.order is None else self.order.said
        if self.order is not None:
            return self.order.said
        if self._workspace.embedding is None:
            return "distances need a map: train one first"
        return "click a patch to sort by the distance to it"

    def _say(self) -> None:
        self.turn.setText("▼" if self._down else "▲")
        self.turn.setEnabled(self.order is not None)
        now = "largest" if self._down else "smallest"
        self.turn.setToolTip(f"The {now} comes first; click to turn it round.")
        said = self.said
        self.box.setToolTip(f"{_TIP}\nNow: {said}." if said else _TIP)
