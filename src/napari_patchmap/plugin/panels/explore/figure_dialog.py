"""A figure of the map as it is shown, for print, slides or a film."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from qtpy.QtCore import QTimer, Slot
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_patchmap.errors import PatchmapError
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.panels.explore.drawing_now import drawn_now
from napari_patchmap.plugin.panels.explore.figure_preview import FigurePreview
from napari_patchmap.plugin.qt.basics import button, choice, label, row
from napari_patchmap.plugin.qt.form import ConfigForm
from napari_patchmap.plugin.qt.saving import with_ending
from napari_patchmap.plugin.qt.style import panel_style
from napari_patchmap.plugin.qt.texts import Sentence
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.figure_kinds import FIGURE_KINDS
from napari_patchmap.runs.drawing.paper import check_figure_file, drawn_page, save_figure
from napari_patchmap.runs.drawing.tips import TipsConfig, draw_tips_moved

#: What a figure can be saved as, as file dialogs want it.
_ENDINGS = {
    ".png": "PNG picture (*.png)",
    ".svg": "SVG drawing (*.svg)",
    ".pdf": "PDF page (*.pdf)",
    ".gif": "GIF film (*.gif)",
    ".mp4": "MP4 film (*.mp4)",
}

#: Width of the settings and of the preview, in pixels; the preview's least resolution.
_WIDTH, _PREVIEW, _COARSE = 340, 700, 50

#: The setting with numbers of patches, of figures that have one; how many may be selected.
_NUMBERED, _MOST_NUMBERS = {"tips": "at", "attention": "rows"}, 80

#: Milliseconds without another change after which the preview is drawn.
_PAUSE = 250

#: Where tips were put: the middle, in shares of the page, by what they point at.
_Moved = dict[int, tuple[float, float]]

#: The name of a figure, its pixels, and its tips: where, and of which patch.
_Seen = tuple[str, np.ndarray, np.ndarray, np.ndarray]


class FigureDialog(QDialog):
    """Which figure, what it is to look like, and where it goes; it keeps its settings.

    It is drawn with the places and colours of the map in the window. What is hidden there is
    left out, and so are other maps beside it; a map in 3-D is drawn from where it is
    looked at.

    Attributes
    ----------
    kind : QComboBox
        Which figure.
    preview : FigurePreview
        How it looks now.
    """

    def __init__(self, owner: MapLayer, parent: QWidget) -> None:
        super().__init__(parent)
        self._map = owner
        self._paths: dict[str, Path] = {}
        self._moved: _Moved = {}
        self._tips = np.empty(0, np.intp)
        self._unseen = ""  # why there was no preview last
        self.setWindowTitle("Figure of the map")
        self.setStyleSheet(panel_style(owner.viewer.theme))
        self.kind = choice("Which figure: " + "; ".join(_described()) + ".", letters=14)
        for name, kind in FIGURE_KINDS.items():
            self.kind.addItem(kind.title, name)
        self.kind.setAccessibleName("Figure")
        self._about = label("", "hint", wrap=True)
        self._forms: dict[str, ConfigForm[Any]] = {}
        self._stack = QStackedWidget()
        self.said = Sentence()
        self.writing = WorkBar()
        self.back = button(
            "Tips back", "", "Put the tips that you moved back to where they were."
        )
        self.point = button(
            "Of the selection", "",
            "Show the patches that are selected, by their numbers; with none selected, as when "
            "no numbers are given.",
        )  # fmt: skip
        self.save = button(
            "Save as…", "primary",
            "Draw the figure of the map as it is shown now. The ending of the name says "
            "whether it becomes a PNG, an SVG or a PDF; of a film a GIF or an MP4.",
        )  # fmt: skip
        close = button("Close", "", "The settings stay until the window is closed.")
        self.preview = FigurePreview()
        self._seen = Newest(self, "Previewing a figure", self._on_seen, self._on_unseen)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PAUSE)
        self._soon.timeout.connect(self._look)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.preview.moved.connect(self._on_moved)
        self.back.clicked.connect(self._on_back)
        self.point.clicked.connect(self._on_point)
        self.save.clicked.connect(self._ask)
        close.clicked.connect(self.close)
        self.writing.done.connect(self._on_saved)
        self.writing.failed.connect(lambda sentence, _: self.said.say(sentence))
        self.writing.ended.connect(self._refresh)
        settings = QVBoxLayout()
        settings.setSpacing(8)
        for part in (self.kind, self._about, self._stack):
            settings.addWidget(part)
        settings.addLayout(row(self.point, self.back, 1))
        settings.addStretch(1)
        settings.addWidget(self.said)
        stop = "Stop drawing; nothing is written."
        settings.addLayout(self.writing.with_button(stop))
        settings.addLayout(row(1, close, self.save))
        rows = QHBoxLayout(self)
        rows.setContentsMargins(14, 14, 14, 14)
        rows.setSpacing(14)
        rows.addLayout(settings)
        rows.addWidget(self.preview, 1)
        self._stack.setFixedWidth(_WIDTH)
        self._about.setMaximumWidth(_WIDTH)
        self.said.setMaximumWidth(_WIDTH)
        self._on_kind()

    @property
    def form(self) -> ConfigForm[Any]:
        """The settings of the figure that is chosen."""
        return self._forms[self._name]

    @property
    def _name(self) -> str:
        return str(self.kind.currentData())

    def _on_kind(self) -> None:
        """Show the settings of another figure; each has its own."""
        kind = FIGURE_KINDS[self._name]
        if self._name not in self._forms:
            form = ConfigForm(kind.config(), skip=("colour_by",))
            title = form.field("title")
            if isinstance(title, QLineEdit):
                title.setPlaceholderText("none")
            form.refused.connect(self.said.say)
            form.changed.connect(self._soon.start)
            self._forms[self._name] = form
            self._stack.addWidget(form)
        self._stack.setCurrentWidget(self.form)
        self._about.setText(
            f"{kind.help[0].upper()}{kind.help[1:]}. Colours, places and hidden groups are "
            "those of the map in the window."
        )
        self.said.say("")
        self._refresh()
        self._look()

    @Slot()
    def _refresh(self) -> None:
        self.save.setEnabled(not self.writing.running)
        self.back.setVisible(self._name == "tips" and bool(self._moved))
        self.point.setVisible(self._name in _NUMBERED)

    # -- how it looks ------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the map as it is now."""
        super().showEvent(event)
        self._look()

    def _look(self) -> None:
        """Draw the preview in the background."""
        if not self.isVisible() or self.form.trouble:
            return
        try:
            given = drawn_now(self._map)
        except PatchmapError as error:
            self._on_unseen(str(error))
            return
        config, name, moved = self.form.config, self._name, dict(self._moved)
        dpi = min(config.dpi, max(_COARSE, round(_PREVIEW / (config.width / 25.4))))
        config = config.replace(dpi=dpi)

        def look(watch: Watch) -> _Seen:
            return _pictured(name, replace(given, watch=watch), config, moved)

        self._seen.ask(look)

    @Slot(object)
    def _on_seen(self, seen: _Seen) -> None:
        name, rgb, boxes, tips = seen
        if name == self._name:
            self._tips = tips
            self.preview.show_page(rgb, boxes)
            if self.said.text() == self._unseen:  # not what is said of saving
                self.said.say("")

    @Slot(str)
    def _on_unseen(self, sentence: str) -> None:
        self.preview.show_page(None, np.empty((0, 4)))
        self._unseen = sentence
        self.said.say(sentence)

    def _on_moved(self, part: int, x: float, y: float) -> None:
        self._moved[int(self._tips[part])] = x, y
        self._refresh()
        self._look()

    def _on_back(self) -> None:
        self._moved.clear()
        self._refresh()
        self._look()

    def _on_point(self) -> None:
        """Name the patches that are selected, in the field for their numbers."""
        chosen = self._map.workspace.selection
        if len(chosen) > _MOST_NUMBERS:
            self.said.say(
                f"{len(chosen):,} patches are selected; select at most {_MOST_NUMBERS} of them."
            )
            return
        numbers = tuple(map(float, chosen)) or None
        self.said.say("")
        self.form.set_config(self.form.config.replace(**{_NUMBERED[self._name]: numbers}))
        self._look()

    # -- where it goes -----------------------------------------------------------------

    def _ask(self) -> None:
        if not self.form.commit():
            return
        endings = FIGURE_KINDS[self._name].endings
        kinds = {_ENDINGS[ending]: ending for ending in endings}
        before = self._paths.get(self._name, Path(f"{self._name}{endings[0]}"))
        path, kind = QFileDialog.getSaveFileName(
            self, "Save the figure", str(before), ";;".join(kinds),
            _ENDINGS.get(before.suffix.lower(), ""),
        )  # fmt: skip
        if path:
            self.save_to(path, kinds.get(kind, endings[0]))

    def save_to(self, path: str | Path, ending: str = "") -> None:
        """Draw the figure into a file; ``ending`` is that of a name without one."""
        if not self.form.commit():
            return
        kind = FIGURE_KINDS[self._name]
        try:
            target = with_ending(path, ending or kind.endings[0])
            self._paths[self._name] = target
            given = drawn_now(self._map)
        except PatchmapError as error:
            self.said.say(str(error))
            return
        config, moved = self.form.config, dict(self._moved)

        def work(watch: Watch) -> Path:
            check_figure_file(target, kind.endings)
            watched = replace(given, watch=watch)
            if isinstance(config, TipsConfig):
                return save_figure(draw_tips_moved(watched, config, moved).figure, target)
            return kind.save(watched, config, target)

        self.said.say("")
        self.writing.start("Drawing a figure", work, "drawing…")
        self._refresh()

    def _on_saved(self, path: Path) -> None:
        self.said.say(f"Saved to {path}.")


def _described() -> list[str]:
    return [f"{kind.title}, {kind.help}" for kind in FIGURE_KINDS.values()]


def _pictured(name: str, given: Drawable, config: Any, moved: _Moved) -> _Seen:
    """Draw a figure to be looked at."""
    boxes, tips = np.empty((0, 4)), np.empty(0, np.intp)
    if isinstance(config, TipsConfig):
        page = draw_tips_moved(given, config, moved)
        figure, boxes, tips = page.figure, page.boxes, page.patches
    else:
        figure = FIGURE_KINDS[name].draw(given, config)
    with Image.open(BytesIO(drawn_page(figure))) as picture:
        return name, np.asarray(picture.convert("RGB")), boxes, tips


class FigureButton(QPushButton):
    """Opens the dialog, which is made once."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__("Figure…")
        self._map = owner
        self.dialog: FigureDialog | None = None
        self.setToolTip(
            "Save a figure for print or slides, as a PNG, an SVG or a PDF: the map as it is "
            "shown, a montage of its patches, tips that show what lies where, examples of each "
            "class, what the network looks at; or a film of the map while it learned."
        )
        self.clicked.connect(self._open)

    def _open(self) -> None:
        if self.dialog is None:
            self.dialog = FigureDialog(self._map, self.window())
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()
