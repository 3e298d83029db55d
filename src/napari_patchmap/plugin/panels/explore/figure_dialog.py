"""A figure of the map as it is shown, for print or slides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from qtpy.QtCore import Slot
from qtpy.QtWidgets import QDialog, QFileDialog, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_patchmap.errors import PatchmapError
from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.canvas.two_views import to_canvas
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.basics import button, label, row
from napari_patchmap.plugin.qt.form import ConfigForm
from napari_patchmap.plugin.qt.saving import with_ending
from napari_patchmap.plugin.qt.style import panel_style
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.runs.drawing.figure_config import FigureConfig

#: What a figure can be saved as, as file dialogs want it.
_KINDS = {
    "PNG picture (*.png)": ".png",
    "SVG drawing (*.svg)": ".svg",
    "PDF page (*.pdf)": ".pdf",
}

_WIDTH = 380


class FigureDialog(QDialog):
    """What a figure is to look like, and where it goes; it keeps its settings.

    It is drawn with the places and colours of the map in the window. What is hidden there is
    left out, and so are other maps beside it; a map in 3-D is drawn from where it is
    looked at.
    """

    def __init__(self, owner: MapLayer, parent: QWidget) -> None:
        super().__init__(parent)
        self._map = owner
        self._path = Path("map.png")
        self.setWindowTitle("Figure of the map")
        self.setStyleSheet(panel_style(owner.viewer.theme))
        self.form = ConfigForm(FigureConfig(), skip=("colour_by",))
        title = self.form.field("title")
        if isinstance(title, QLineEdit):
            title.setPlaceholderText("none")
        self.said = label("", "hint", wrap=True)
        self.writing = WorkBar()
        self.save = button(
            "Save as…", "primary",
            "Draw the map as it is shown now. The ending of the name says whether it becomes a "
            "PNG, an SVG or a PDF.",
        )  # fmt: skip
        close = button("Close", "", "The settings stay until the window is closed.")
        self.save.clicked.connect(self._ask)
        close.clicked.connect(self.close)
        self.form.refused.connect(self._say)
        self.writing.done.connect(self._on_saved)
        self.writing.failed.connect(lambda sentence, _: self._say(sentence))
        self.writing.ended.connect(self._refresh)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 14, 14, 14)
        rows.setSpacing(8)
        about = "Colours, places and hidden groups are those of the map in the window."
        rows.addWidget(label(about, "hint", wrap=True))
        rows.addWidget(self.form)
        rows.addStretch(1)
        rows.addWidget(self.said)
        rows.addWidget(self.writing)
        rows.addLayout(row(1, close, self.save))
        self.setMinimumWidth(_WIDTH)
        self._say("")

    def _say(self, sentence: str) -> None:
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))

    @Slot()
    def _refresh(self) -> None:
        self.save.setEnabled(not self.writing.running)

    def _ask(self) -> None:
        if not self.form.commit():
            return
        kinds = ";;".join(_KINDS)
        path, kind = QFileDialog.getSaveFileName(
            self, "Save the figure", str(self._path), kinds, _kind_of(self._path)
        )
        if path:
            self.save_to(path, _KINDS.get(kind, ".png"))

    def save_to(self, path: str | Path, ending: str = ".png") -> None:
        """Draw the map into a file; ``ending`` is that of a name without one."""
        if not self.form.commit():
            return
        try:
            self._path = with_ending(path, ending)
            places, colouring, rows = self._shown()
        except PatchmapError as error:
            self._say(str(error))
            return
        config, target = self.form.config, self._path

        def work(_: Watch) -> Path:
            from napari_patchmap.runs.drawing.map_page import draw_map
            from napari_patchmap.runs.drawing.paper import check_figure_file, save_figure

            check_figure_file(target)
            page = draw_map(places[rows], colouring.part(rows), config)
            return save_figure(page, target)

        self._say("")
        self.writing.start("Drawing a figure", work)
        self.writing.setFormat("drawing…")
        self._refresh()

    def _shown(self) -> tuple[np.ndarray, Colouring, np.ndarray]:
        """Return the places of all patches, (y, x), their colouring, and those shown."""
        points, colouring = self._map.points, self._map.colouring
        if points is None or colouring is None or not len(points.data):
            raise PatchmapError("There is no map yet; train or open one first.")
        rows = np.flatnonzero(points.shown)
        if not len(rows):
            raise PatchmapError("All points are hidden; show some of them first.")
        places = points.data
        if places.shape[1] == 3:
            places = to_canvas(self._map.viewer, places)[:, ::-1]
        return places, colouring, rows

    def _on_saved(self, path: Path) -> None:
        self._say(f"Saved to {path}.")


def _kind_of(path: Path) -> str:
    return next((k for k, e in _KINDS.items() if e == path.suffix.lower()), next(iter(_KINDS)))


class FigureButton(QPushButton):
    """Opens the dialog, which is made once."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__("Figure…")
        self._map = owner
        self.dialog: FigureDialog | None = None
        self.setToolTip(
            "Save the map as it is shown, with its legend, for print or slides, as a PNG, an "
            "SVG or a PDF."
        )
        self.clicked.connect(self._open)

    def _open(self) -> None:
        if self.dialog is None:
            self.dialog = FigureDialog(self._map, self.window())
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()
