"""A second set of images that a search looks in as well: chosen, opened and shown."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QWidget

from napari_patchmap.find.search import FindInput
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.thumbnails import Thumbnails
from napari_patchmap.runs import Run


class SecondImages(QWidget):
    """Says in which other images it is looked; none at first.

    Attributes
    ----------
    path : str
        Of the other images, "" for none.
    pictures : Thumbnails
        Of those that were opened.

    Signals
    -------
    changed()
        Other images are chosen, or none.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.path = ""
        self.pictures = Thumbnails(self)
        self._opened: tuple[str, str, FindInput] | None = None  # path, and by which run
        self._shown: PatchSet | None = None
        self.folder = button(
            "Folder or run…",
            "",
            "<qt>Look for patches that are in another folder of images as well, or in the "
            "images of another run: does my test set hold training images?</qt>",
        )
        self.file = button(
            "File…",
            "",
            "<qt>Look for patches that are in another stack or slide as well.</qt>",
        )
        self.none = button("×", "", "Look among the patches of the map alone.")
        self.none.setAccessibleName("Look in no other images")
        self.said: QLabel = label("", "hint", wrap=True)
        column(
            self,
            row(
                label("Look also in", "", tip=self.folder.toolTip()), self.folder, self.file, 1
            ),
            row(self.said, 1, self.none),
        )
        self.folder.clicked.connect(self._choose_folder)
        self.file.clicked.connect(self._choose_file)
        self.none.clicked.connect(lambda: self.choose(""))
        self.choose("")

    def choose(self, path: str) -> None:
        """Look in the images at a path as well, "" for none."""
        self.path = path
        self.said.setText(Path(path).name)
        self.said.setToolTip(path)
        for widget in (self.said, self.none):
            widget.setVisible(bool(path))
        self.changed.emit()

    def open(self, run: Run, watch: Watch) -> FindInput | None:
        """Open them as a run sees them, once; in a thread. None where none are chosen.

        Errors are those of :func:`napari_patchmap.runs.finding.second_set`.
        """
        from napari_patchmap.runs.finding import second_set

        path, of = self.path, str(run.info.get("id", ""))
        if not path:
            return None
        if self._opened is None or self._opened[:2] != (path, of):
            self._opened = path, of, second_set(run, path, watch)
        return self._opened[2]

    def show_opened(self) -> bool:
        """Let ``pictures`` be those of what was opened; False if nothing is."""
        opened = None if self._opened is None else self._opened[2].patches
        if opened is not self._shown:
            self._shown = opened
            self.pictures.set_patches(opened)
        return opened is not None

    def _choose_folder(self) -> None:
        start = self.path or str(Path.home())
        self._take(QFileDialog.getExistingDirectory(self, "Look also in", start))

    def _choose_file(self) -> None:
        start = self.path or str(Path.home())
        self._take(QFileDialog.getOpenFileName(self, "Look also in", start)[0])

    def _take(self, path: str) -> None:
        if path:
            self.choose(path)
