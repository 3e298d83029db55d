"""Which annotation is worked on: there may be one for each person, or for each question."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QInputDialog, QMenu, QWidget

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.plugin.qt.basics import button, choice, label, row
from napari_patchmap.plugin.workspace import Workspace


class AnnotationBox(QWidget):
    """Chooses an annotation, begins another, renames or deletes it.

    Attributes
    ----------
    imports : QAction
        The entry of its menu that takes classes in from a table.

    Signals
    -------
    tried(str)
        Why something cannot be done, "" when it was done.
    """

    tried = Signal(str)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.box = choice(
            "The annotation that is worked on. There may be several: one for each person, or "
            "for each question."
        )
        self.box.setAccessibleName("Annotation")
        self.box.activated.connect(self._on_chosen)
        self.more = button(
            "…", "", "Another annotation; rename or delete this one; classes from a table."
        )
        self.more.setFixedWidth(52)
        menu = QMenu(self)
        menu.addAction("New annotation…", self._ask_column)
        self._rename = menu.addAction("Rename…", self._ask_other_name)
        self._delete = menu.addAction("Delete", self._on_delete)
        menu.addSeparator()
        self.imports = menu.addAction("Import classes from a table…")
        self.more.setMenu(menu)
        self.setLayout(row(label("Annotation"), self.box, self.more))

    def refresh(self) -> None:
        """Show what annotations there are, and which is worked on."""
        annotations = self._workspace.annotations
        names = [one.name for one in annotations.columns] or [annotations.now.name]
        if [self.box.itemText(i) for i in range(self.box.count())] != names:
            self.box.clear()
            self.box.addItems(names)
        self.box.setCurrentText(annotations.now.name)
        self._rename.setEnabled(bool(annotations.columns))
        self._delete.setEnabled(bool(annotations.columns))
        self.more.setEnabled(not self._workspace.annotations_trouble)

    def _try(self, change: Callable[[Annotations], Annotations]) -> None:
        try:
            self._workspace.set_annotations(change(self._workspace.annotations))
        except AnnotationError as error:
            self.tried.emit(str(error))
        else:
            self.tried.emit("")

    def _on_chosen(self) -> None:
        name = self.box.currentText()
        self._try(lambda annotations: annotations.worked_on(name))

    def _ask_column(self) -> None:
        name, agreed = QInputDialog.getText(
            self, "New annotation", "Name of the annotation (a person, or a question):"
        )
        if agreed:
            self.add_column(name)

    def add_column(self, name: str) -> None:
        """Begin another annotation."""
        self._try(lambda annotations: annotations.with_column(name, self._table()))

    def _ask_other_name(self) -> None:
        before = self._workspace.annotations.active
        name, agreed = QInputDialog.getText(
            self, "Rename", "Name of the annotation:", text=before
        )
        if agreed:
            self._try(lambda annotations: annotations.renamed(name, self._table()))

    def _on_delete(self) -> None:
        self._try(lambda annotations: annotations.without(annotations.active))

    def _table(self) -> list[str]:
        patches = self._workspace.patches
        return [] if patches is None else [str(name) for name in patches.table.columns]
