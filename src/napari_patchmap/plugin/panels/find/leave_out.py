"""Leaving patches out, and training again without them."""

from __future__ import annotations

from typing import Any

from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_patchmap.errors import AnnotationError
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.workspace import workspace_of


class LeaveOut(QWidget):
    """Takes the selected patches out of the set; they are placed on the map made without them.

    Nothing is deleted: neither the images nor the map before, which stays in its folder.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer, self._workspace = viewer, workspace_of(viewer)
        self.leave = button(
            "Leave out the selected…",
            "",
            "<qt>Train again without the patches that are selected now, such as artefacts. No "
            "file is touched; this map stays in its folder, and the patches that are left out "
            "are placed on the new one.</qt>",
        )
        self.question = label("", "", wrap=True)
        self.sure = button(
            "Leave out and train again", "primary", "Begin, with the settings of the tab Train."
        )
        self.rather_not = button("Cancel", "", "Change nothing.")
        self.asked = QWidget()
        column(self.asked, self.question, row(self.sure, self.rather_not, 1))
        self.said = label("", "hint", wrap=True)
        self.back = button(
            "Take them back", "link", "Load all patches again; the next map is of all of them."
        )
        self.left = QWidget()
        column(self.left, self.said, row(self.back, 1), spacing=2)
        column(self, row(self.leave, 1), self.asked, self.left)
        self.asked.hide()
        self.leave.clicked.connect(self._ask)
        self.sure.clicked.connect(self._on_sure)
        self.rather_not.clicked.connect(self.asked.hide)
        self.back.clicked.connect(self._workspace.take_back)
        workspace = self._workspace
        for signal in (
            workspace.selection_changed, workspace.patches_changed,
            workspace.training_changed, workspace.run_changed,
        ):  # fmt: skip
            subscribe(self, signal, self._refresh)
        self._refresh()

    def _refresh(self, _: Any = None) -> None:
        workspace = self._workspace
        count = 0 if workspace.patches is None else len(workspace.patches)
        chosen = len(workspace.selection)
        self.leave.setEnabled(0 < chosen < count and not workspace.training)
        self.back.setEnabled(not workspace.training)
        self.asked.hide()  # it was about others
        left = workspace.left_out
        self.left.setVisible(left is not None)
        if left is not None:
            self.said.setText(f"{len(left):,} patches are left out.")

    def _ask(self) -> None:
        chosen, count = len(self._workspace.selection), len(self._workspace.table)
        self.question.setText(
            f"Train again with {count - chosen:,} patches, without the {chosen:,} selected?"
        )
        self.asked.show()

    def _on_sure(self) -> None:
        workspace = self._workspace
        try:
            workspace.leave_out(workspace.selection)
        except AnnotationError as error:
            workspace.say(str(error))
        show_panel(self._viewer, "train").start()
