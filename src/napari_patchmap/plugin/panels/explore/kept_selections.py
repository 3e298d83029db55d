"""Keeping what is selected under a name, and what has been kept."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtWidgets import QLineEdit, QWidget

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.named_selections import (
    Combination,
    NamedSelection,
    NamedSelections,
    combined,
)
from napari_patchmap.explore.words import said_counts
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.kept_list import KeptList
from napari_patchmap.plugin.qt.basics import button, column, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.texts import Sentence

#: Classes that the tooltip of a kept selection lists at most.
_CLASSES = 12


class KeptSelections(QWidget):
    """A name for what is selected, and the list of those that have one."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self._map, self.workspace = owner, owner.workspace
        self._tips: dict[int, str] = {}
        self.name = QLineEdit()
        self.name.setPlaceholderText("name for what is selected")
        self.name.setAccessibleName("Name for what is selected")
        self.name.setToolTip("Enter keeps what is selected under this name.")
        self.name.returnPressed.connect(self._keep)
        self.keep = button("Keep")
        self.keep.clicked.connect(self._keep)
        self.said = Sentence("error")
        self.list = KeptList()
        self.list.setToolTip(
            "Click: show this selection. Shift adds it, Ctrl keeps what is in both, Alt takes "
            "it away. Double-click renames, Del deletes."
        )
        self.list.picked.connect(self._show)
        self.list.renamed.connect(
            lambda name, to: self._change(NamedSelections.renamed, name, to)
        )
        self.list.deleted.connect(lambda name: self._change(NamedSelections.without, name))
        self.list.replaced.connect(
            lambda name: self._change(NamedSelections.changed, name, self.workspace.selection)
        )
        column(self, row(self.name, self.keep), self.said, self.list, spacing=4)
        workspace = self.workspace
        for signal in (
            workspace.named_changed, owner.colouring_changed, owner.keeper.changed,
        ):  # fmt: skip
            subscribe(self, signal, self._on_kept)
        for signal in (workspace.selection_changed, workspace.annotations_refused):
            subscribe(self, signal, self._refresh)
        self._on_kept()

    # -- what is shown ----------------------------------------------------------------

    def _on_kept(self, *_: Any) -> None:
        """Note what does not change with what is selected: counting classes takes time."""
        colouring, patches = self._map.colouring, self.workspace.patches
        if colouring is None or patches is None or len(colouring.colours) != len(patches):
            colouring = Colouring("", np.empty((0, 4)))  # that of others, for a moment
        total = colouring.counts()
        kept = self.workspace.named.kept
        self._tips = {one.key: self._tip(one, colouring, total) for one in kept}
        self._refresh()

    def _refresh(self, *_: Any) -> None:
        workspace = self.workspace
        chosen, refused = workspace.selection, bool(workspace.annotations_trouble)
        self.keep.setText(f"Keep {len(chosen):,}" if len(chosen) else "Keep")
        self.keep.setToolTip(
            workspace.annotations_trouble or "Keep what is selected under the name beside."
        )
        for field in (self.name, self.keep):
            field.setEnabled(not refused)
        patches, kept = workspace.patches, workspace.named.kept
        inside = np.zeros(0 if patches is None else len(patches), bool)
        inside[chosen] = True
        total = np.array([len(one.indices) for one in kept], int)
        also = np.array([inside[one.indices].sum() for one in kept], int)
        counts = said_counts(total, also if len(chosen) else None)
        tips = [self._tips.get(one.key, "") for one in kept]
        self.list.show_rows([one.name for one in kept], counts, tips)
        self.list.fix(refused)
        self.list.setVisible(bool(kept))

    def _tip(self, one: NamedSelection, colouring: Colouring, total: np.ndarray) -> str:
        """Say how many patches of each class, of all, are in a selection, and how many gone."""
        lines = [f"<b>{html.escape(one.name)}</b>"]
        if colouring.names:
            inside = colouring.counts(one.indices)
            said = said_counts(total, inside)
            there = np.argsort(-inside, kind="stable")[: (inside > 0).sum()].tolist()
            lines += [
                f"{html.escape(colouring.names[at])}: {said[at]}" for at in there[:_CLASSES]
            ]
            if len(there) > _CLASSES:
                lines.append(f"{len(there) - _CLASSES} more classes")
        missing = self._map.keeper.missing(one.key)
        if missing:
            lines.append(f"{missing:,} more are not among the patches that are loaded.")
        return "".join(f"<p style='margin:0'>{line}</p>" for line in lines)

    # -- what people do ---------------------------------------------------------------

    def _keep(self) -> None:
        if self._change(NamedSelections.keep, self.name.text(), self.workspace.selection):
            self.name.clear()

    def _change(self, how: Callable[..., NamedSelections], *values: Any) -> bool:
        """Change what is kept; where that cannot be, say why and return False."""
        try:
            self.workspace.set_named(how(self.workspace.named, *values))
        except AnnotationError as error:
            self.said.say(str(error))
            self._refresh()  # a name that was typed into the list is taken back
            return False
        self.said.say("")
        return True

    def _show(self, name: str, way: Combination | None) -> None:
        """Select the patches of a name that are shown, or those together with the others."""
        found = self.workspace.named.by_name[name].indices
        rows = self._map.visible(found)
        hidden = len(found) - len(rows)
        if not len(rows):
            why = "are hidden" if hidden else "are among the patches that are loaded"
            self.said.say(f"{'All' if hidden else 'None'} of its patches {why}.")
            return
        self.said.say(f"{hidden:,} of its patches are hidden." if hidden else "")
        before = self.workspace.selection
        self.workspace.select(combined(before, way, rows) if way else rows)
