"""What the figures can be compared with: chance, pixels, features."""

from __future__ import annotations

from collections.abc import Sequence

from napari.viewer import Viewer
from qtpy.QtCore import Signal

from napari_patchmap.plugin.panels.quality.asked_box import AskedBox
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.asked import AskedCheck


class BaselinesBox(AskedBox):
    """Has the figures of other maps computed; they are shown beside those of the map.

    Signals
    -------
    shown(object)
        See :func:`napari_patchmap.quality.baselines.measure_baselines`; empty where it is not
        known.
    """

    shown = Signal(object)  # Qt sorts a dict

    def __init__(self, viewer: Viewer, check: AskedCheck) -> None:
        work = WorkBar()
        super().__init__(viewer, check, work)
        self.layout().addLayout(work.with_button("Stop; nothing is changed."))

    def lines_of(self, found: Evaluation) -> Sequence[str]:
        """Say nothing here."""
        return ()

    def show_found(self, found: Evaluation | None) -> None:
        """Tell what was found."""
        super().show_found(found)
        self.answer.hide()
        self.shown.emit(self.entry)
