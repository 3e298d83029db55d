"""The "Annotate" panel: classes of a person's own, given to what is selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import napari.viewer
import numpy as np
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLineEdit

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.annotation import Annotation, conflicts
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.actions import ACTIONS, with_key
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.annotate.annotation_box import AnnotationBox
from napari_patchmap.plugin.panels.annotate.class_list import ClassList
from napari_patchmap.plugin.panels.annotate.exporting import Exporting
from napari_patchmap.plugin.panels.annotate.keeping import Keeping
from napari_patchmap.plugin.panels.annotate.likeness import Likeness
from napari_patchmap.plugin.panels.annotate.suggesting import Suggesting
from napari_patchmap.plugin.qt.basics import button, label, row
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.plugin.qt.dropped import dropped_file
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.qt.texts import Sentence

_HELP = (
    "Select patches, type a name, press <b>Enter</b>. Then "
    f"<b>{ACTIONS['give'].shown}</b> give a class to what is selected, or to the patch under "
    f"the mouse; <b>{ACTIONS['take_class'].shown}</b> takes it away. "
    f"<b>{ACTIONS['undo'].shown}</b> undoes, <b>{ACTIONS['help'].shown}</b> shows all keys."
)


class Annotate(WorkPanel):
    """The classes of an annotation, and who has them."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._map = MapLayer.of(self.viewer)
        self._keeper = self._map.keeper
        self._compared: tuple[PatchSet | None, Annotation | None] = None, None
        self._fill_column()
        self._fill_footer()
        workspace = self.workspace
        self.listen(workspace.annotations_changed, self._refresh)
        self.listen(workspace.annotations_refused, self._refresh)
        self.listen(workspace.selection_changed, self._refresh)
        self.listen(workspace.current_changed, self._refresh)
        self.listen(workspace.map_changed, self._refresh)
        self.listen(workspace.patches_changed, self._refresh)
        self.listen(self._map.colouring_changed, self._refresh)
        self.listen(self._keeper.changed, self._refresh)
        self._take_keys()
        self.guard_wheel()
        self._refresh()

    # -- parts ------------------------------------------------------------------------

    def _fill_column(self) -> None:
        self.worked_on = AnnotationBox(self.workspace)
        self.trouble = Sentence("error")
        self.worked_on.tried.connect(self.trouble.say)
        self.column.addWidget(self.worked_on)

        self.name = QLineEdit()
        self.name.setPlaceholderText("name of a new class")
        self.name.setAccessibleName("New class")
        self.name.setToolTip(
            with_key("name", "Enter makes the class and gives it to what is selected or asked.")
        )
        self.name.returnPressed.connect(self._on_named)
        self.add = button(
            "Add", "", "Make this class and give it to what is selected or asked."
        )
        self.add.clicked.connect(self._on_named)
        self.column.addLayout(row(self.name, self.add))
        self.column.addWidget(self.trouble)

        self.classes = ClassList()
        self.classes.given.connect(self._on_given)
        self.classes.picked.connect(self._on_picked)
        self.classes.renamed.connect(
            lambda at, name: self._change(Annotation.renamed, at, name)
        )
        self.classes.recoloured.connect(
            lambda at, colour: self._change(Annotation.recoloured, at, colour)
        )
        self.classes.keyed.connect(lambda at, key: self._change(Annotation.with_key, at, key))
        self.classes.merged.connect(lambda at, into: self._change(Annotation.merged, at, into))
        self.classes.deleted.connect(lambda at: self._change(Annotation.without, at))
        self.column.addWidget(self.classes, 1)
        self.likeness = Likeness(self._map)
        self.column.addWidget(self.likeness)
        self.suggesting = Suggesting(self._map)
        self.column.addWidget(self.suggesting)
        self.setAcceptDrops(True)

    def _fill_footer(self) -> None:
        self.meant = label("", wrap=True)
        self.none = button(
            f"No class ({ACTIONS['take_class'].shown})",
            "",
            with_key("take_class", "Take the class of what is selected away."),
        )
        self.none.clicked.connect(lambda: self._on_given(-1))
        self.rest = button("Select the rest", "", "Select the patches without a class.")
        self.rest.clicked.connect(lambda: self._on_picked(-1))
        self.undo = button(
            "Undo", "", with_key("undo", "Back to what was selected and annotated before.")
        )
        self.undo.clicked.connect(self.workspace.undo)
        self.redo = button("Redo", "", with_key("redo", "What was undone again."))
        self.redo.clicked.connect(self.workspace.redo)
        tools = QGridLayout()
        tools.setSpacing(4)
        for place, one in enumerate((self.none, self.rest, self.undo, self.redo)):
            one.setMinimumWidth(40)
            tools.addWidget(one, *divmod(place, 2))
        self.colour = QCheckBox("Colour the map by this annotation")
        self.colour.setChecked(self._map.follow_classes.on)
        self.colour.setToolTip("On: as soon as a patch is annotated, points show its class.")
        self.colour.clicked.connect(self._map.follow_classes.switch)
        self.conflicts = button(
            "", "link", "Select the patches whose label says another class."
        )
        self.conflicts.clicked.connect(self._select_conflicts)
        self.keeping = Keeping(self._keeper)
        self.worked_on.imports.triggered.connect(self.keeping.ask_table)
        self.footer.addWidget(self.meant)
        self.footer.addLayout(tools)
        self.footer.addWidget(self.colour)
        self.footer.addWidget(self.conflicts)
        self.exporting = Exporting(self._map)
        self.footer.addWidget(self.exporting)
        self.help = label(_HELP, "hint", wrap=True)
        self.footer.addWidget(self.help)
        self.footer.addWidget(self.keeping)

    def _take_keys(self) -> None:
        """Do what keys say about classes and suggestions, whatever panel is in front."""
        keyboard, suggesting = self.keyboard, self.suggesting
        keyboard.offer("name", self._type_a_name)
        for name, one in {
            "rest": self.rest, "suggest": suggesting.rest, "useful": suggesting.next,
            "alike": self.likeness.alike, "doubtful": suggesting.doubtful,
            "accept": suggesting.accept, "accept_sure": suggesting.accept_sure,
            "reject": suggesting.reject, "export": self.exporting.button,
        }.items():  # fmt: skip
            keyboard.bind(one, name)

    # -- what is shown ----------------------------------------------------------------

    def _refresh(self, *_: Any) -> None:
        workspace = self.workspace
        patches, annotations, chosen = (
            workspace.patches, workspace.annotations, workspace.selection,
        )  # fmt: skip
        if patches is None:
            self.need("Load patches first; then give them names here.", "load")
            return
        self.need("")
        annotation = annotations.now
        self.worked_on.refresh()
        self.classes.show_classes(annotation, chosen)
        self.help.setVisible(not annotation.classes)  # the buttons of classes say their keys
        meant = self._map.meant
        self.classes.allow_giving(bool(len(meant)) and not workspace.annotations_trouble)
        self.none.setEnabled(bool(len(meant)) and not workspace.annotations_trouble)
        to_name = len(self._to_name())
        self.add.setText(f"Name {to_name:,}" if to_name else "Add")
        done = int((annotation.codes >= 0).sum())
        what = f"<b>{len(chosen):,}</b> selected; " if len(chosen) else ""
        self.meant.setText(f"{what}<b>{done:,}</b> of {len(patches):,} annotated")
        self.undo.setEnabled(workspace.can_undo)
        self.redo.setEnabled(workspace.can_redo)
        self._show_conflicts(annotation)
        self.keeping.refresh()
        for field in (self.name, self.add):
            field.setEnabled(not workspace.annotations_trouble)

    def _show_conflicts(self, annotation: Annotation) -> None:
        patches = self.workspace.patches
        if self._compared != (patches, annotation):  # looks at all labels
            self._compared = patches, annotation
            labels = None if patches is None else patches.labels
            self._conflicts = np.empty(0, np.intp)
            if labels is not None and annotation.classes:
                self._conflicts = conflicts(annotation, labels)
        self.conflicts.setVisible(bool(len(self._conflicts)))
        self.conflicts.setText(f"{len(self._conflicts):,} differ from their label")

    # -- what people do ---------------------------------------------------------------

    def _try(self, change: Callable[[], None]) -> bool:
        """Make a change; a name that cannot be taken is said under the field."""
        try:
            change()
        except AnnotationError as error:
            self.trouble.say(str(error))
            return False
        self.trouble.say("")
        return True

    def _change(self, how: Callable[..., Annotation], *values: Any) -> None:
        """Change the classes of the column that is worked on."""
        workspace = self.workspace

        def change() -> None:
            annotations = workspace.annotations
            workspace.set_annotations(annotations.put(how(annotations.now, *values)))

        self._try(change)

    def _type_a_name(self) -> bool:
        """Bring the field for a new class to the front and the cursor into it."""
        show_panel(self.viewer, "annotate")
        self.name.setFocus()
        return self.workspace.patches is not None

    def _to_name(self) -> np.ndarray:
        """What a typed name is given to: what is selected, or the patch that is asked."""
        chosen, current = self.workspace.selection, self.workspace.current
        asked = not len(chosen) and GalleryHooks.of(self.viewer).asks(current)
        return np.array([current], np.intp) if asked else chosen

    def _on_named(self) -> None:
        """Make a class of the name that was typed, and give it to what is meant."""
        name, chosen = self.name.text(), self._to_name()

        def named(annotation: Annotation) -> Annotation:
            if len(chosen) and annotation.at(name) >= 0:  # one of the classes there are
                return annotation.give(chosen, annotation.at(name))
            annotation = annotation.with_class(name)
            return annotation.give(chosen, len(annotation.classes) - 1)

        self._change(named)
        if not self.trouble.text():
            self.name.clear()
            self.classes.setFocus()  # so that digits are keys again
            self._map.giving.answered(chosen)

    def _on_given(self, at: int) -> None:
        self._try(lambda: self._map.giving.give(at))

    def _on_picked(self, at: int) -> None:
        self.workspace.select(self._map.visible(self.workspace.annotations.now.members(at)))

    def _select_conflicts(self) -> None:
        self.workspace.select(self._map.visible(self._conflicts))

    def dragEnterEvent(self, event: Any) -> None:
        """Take an image file, where there are patches that it may be like."""
        if self.workspace.patches is not None and dropped_file(event):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Look for the image that was dropped."""
        self.likeness.find_image(dropped_file(event))
