"""The "Compare" panel: other maps of the same patches beside the map, with quality and cost."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import napari.viewer
import numpy as np
from qtpy.QtWidgets import QFileDialog, QTableWidgetItem

from napari_patchmap.errors import RunError
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.panels.compare.maps_table import AllFigures, MapsTable
from napari_patchmap.plugin.qt.basics import button, label, row
from napari_patchmap.plugin.qt.dropped import dropped_paths
from napari_patchmap.plugin.qt.known_files import run_folder
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.qt.texts import Message
from napari_patchmap.plugin.worker import Task
from napari_patchmap.plugin.workspace import Compared
from napari_patchmap.quality.label_changes import lacks_labels
from napari_patchmap.runs import Run, SavedMap, find_maps, maps_in, read_map
from napari_patchmap.runs.comparison import compare, different_labels
from napari_patchmap.runs.other_features import known_of
from napari_patchmap.runs.saved_map import same_rows

_HELP = (
    "Tick maps to see them beside this one, turned alike and in the same colours. What you "
    "select on one is selected on all."
)

_TRAIN_FIRST = "Train a map first; others of the same patches can then be set beside it."

_NO_OTHER = (
    "There is no other map of these patches yet. Train one with another method or other "
    "augmentations, or add a run that was saved elsewhere."
)

_NONE_OPEN = (
    "These maps of the patches were saved before, and none is open: mark one and make it this "
    "map."
)

_ONE_LABEL = "make the others this map one by one, and choose the same label for each"


class CompareMaps(WorkPanel):
    """Saved maps of the current patches, and which of them are shown."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.maps: list[SavedMap] = []
        self._added: list[SavedMap] = []
        self._wanted: list[Path] = []
        self._read: dict[Path, Compared] = {}
        self._stale = False  # whether figures of the label that was chosen are still to come
        self.table = MapsTable()
        self.message = Message()
        self.labels = Message()
        self.none = label(_NO_OTHER, "hint", wrap=True)
        self.add = button("Add a saved run…", "link", "Choose a run folder, or drop one here.")
        self.save = button(
            "Save table and picture…",
            "primary",
            "<qt>The figures as CSV, and the maps that are ticked as one picture.</qt>",
        )
        self.open = button(
            "Make it this map",
            "",
            "<qt>Open the map of the marked row in place of this one, with its network and "
            "settings.</qt>",
        )
        self.column.addWidget(label(_HELP, "hint", wrap=True))
        self.column.addWidget(self.table)
        self.column.addWidget(self.labels)
        self.figures = AllFigures()
        self.column.addWidget(self.figures)
        self.column.addWidget(self.none)
        self.column.addLayout(row(self.add, 1))
        self.column.addStretch(1)
        self.footer.addWidget(self.message)
        self.footer.addLayout(row(self.open, 1))
        self.footer.addWidget(self.save)
        self.setAcceptDrops(True)
        self._finder = Newest(self, "Looking for maps of these patches", self._on_found)
        self._reader = Newest(self, "Reading maps", self._on_read, self._on_failed)
        self._saver = Newest(self, "Saving the comparison", self._on_saved, self._on_failed)
        self._opener = Newest(self, "Opening a map", self._on_opened, self._on_failed)
        self.table.itemChanged.connect(self._on_ticked)
        self.table.itemSelectionChanged.connect(self._on_marked)
        self.table.cellDoubleClicked.connect(lambda *_: self.make_current())
        self.add.clicked.connect(self._ask_run)
        self.save.clicked.connect(self._ask_folder)
        self.open.clicked.connect(self.make_current)
        self.listen(self.workspace.patches_changed, self._on_patches)
        self.listen(self.workspace.run_changed, self._on_run)
        self.listen(self.workspace.label_changed, self._on_label)
        self.listen(self.workspace.measured_changed, self._on_measured)
        self.listen(self.workspace.compared_changed, self._on_compared)
        self.listen(self.workspace.training_changed, self._on_training)
        self._on_run(self.workspace.run)
        self._on_compared(self.workspace.compared)
        self._on_training(self.workspace.training)

    @property
    def _own(self) -> Path | None:
        """Folder of the current map's run."""
        run = self.workspace.run
        return None if run is None or run.folder is None else run.folder.resolve()

    # -- what there is -----------------------------------------------------------------

    def _on_patches(self, _: Any) -> None:
        self._added, self._wanted, self._read = [], [], {}
        self.message.say("")

    def _on_label(self) -> None:
        """Show no figures of the label before; those of the new one when they are known."""
        self._stale = True
        self._on_run(self.workspace.run)

    def _on_measured(self) -> None:
        run = self.workspace.run
        if self._stale and run is not None and not lacks_labels(run.metrics):
            self._stale = False
            self._on_run(run)

    def _on_run(self, run: Run | None) -> None:
        patches = self.workspace.patches
        if patches is None:
            self.need("Load patches first, then train a map of them.", "load")
            return
        if run is None:  # until there is one that was saved before
            self.need(_TRAIN_FIRST, "train")
        else:
            self.need("")
        name, count, added, own = patches.name, len(patches), list(self._added), self._own
        self._finder.ask(lambda watch: _maps_of(name, count, added, own, watch))

    def _on_training(self, training: bool) -> None:
        self.table.setEnabled(not training)
        self.message.say(
            "The other maps are put away while a new one is trained." if training else ""
        )

    def _on_found(self, maps: list[SavedMap]) -> None:
        self.maps = [*maps, *(one for one in self._added if one.folder not in _folders(maps))]
        if self.workspace.run is None:
            self.need("" if maps or self.workspace.patches is None else _TRAIN_FIRST, "train")
        self._show()

    def _show(self) -> None:
        shown = {one.saved.folder for one in self.workspace.compared}
        own = self._own
        self.maps = sorted(self.maps, key=lambda one: one.folder != own)
        open_one = self.workspace.run is not None
        self.table.fill(self.maps, own, shown | set(self._wanted), tickable=open_one)
        self.labels.say(different_labels(self.maps, _ONE_LABEL), "note")
        self.none.setText(_NO_OTHER if open_one else _NONE_OPEN)
        self.none.setVisible(len(self.maps) < 2 or not open_one)
        self.table.setVisible(bool(self.maps))
        beside = [i for i, one in enumerate(self.maps) if one.folder in {own, *shown}]
        self.figures.fill([self.maps[i] for i in beside], beside)
        self._on_marked()
        self.save.setEnabled(bool(self.maps) and open_one)

    # -- which are shown ----------------------------------------------------------------

    def _on_compared(self, maps: tuple[Compared, ...]) -> None:
        new = [one.saved for one in maps if one.saved.folder not in _folders(self.maps)]
        self._added += new  # they were shown when this run was last open
        self.maps += new
        self._wanted = [one.saved.folder for one in maps]
        self._show()

    def _on_ticked(self, item: QTableWidgetItem) -> None:
        if self.table.busy:
            return
        wanted = self.table.ticked()
        self._want([one for one in self.maps if one.folder in wanted])

    def _want(self, maps: list[SavedMap]) -> None:
        patches, run, read = self.workspace.patches, self.workspace.run, dict(self._read)
        if patches is None:
            return
        self._wanted = [one.folder for one in maps]
        self.message.say("")
        self._reader.ask(lambda watch: _read_all(maps, patches, run, read, watch))

    def _on_read(self, found: list[Compared]) -> None:
        self._read |= {one.saved.folder: one for one in found}
        if self.workspace.training or self.workspace.run is None:
            return
        self.workspace.set_compared(found)

    def _on_failed(self, sentence: str) -> None:
        self.message.say(sentence, "error")
        self._wanted = [one.saved.folder for one in self.workspace.compared]
        self._show()

    # -- what people do -------------------------------------------------------------------

    def add_run(self, folder: str | Path) -> None:
        """Take a saved run, or all in a folder, into the list, and tick them."""
        run, patches = self.workspace.run, self.workspace.patches
        if patches is None:
            return
        own = self._own

        def work(watch: Watch) -> list[Compared]:
            maps = maps_in([run_folder(folder)], watch)
            others = [one for one in maps if one.folder != own]
            return _read_all(others, patches, run, {}, watch)

        task = Task(lambda task: work(task.watch), "Reading a saved run")
        task.done.connect(self._on_added)
        task.failed.connect(self._on_failed)
        task.start()

    def _on_added(self, found: list[Compared]) -> None:
        if not found:
            self.message.say("This run is the map that is shown.")
            return
        new = [one.saved for one in found if one.saved.folder not in _folders(self.maps)]
        self._added += new
        self._read |= {one.saved.folder: one for one in found}
        self.maps += new
        if self.workspace.run is None:
            self._on_found(self.maps)
            return
        wanted = {one.saved.folder for one in (*self.workspace.compared, *found)}
        self._want([one for one in self.maps if one.folder in wanted])

    def make_current(self) -> None:
        """Open the marked map in place of the current one."""
        marked, patches = self.table.marked(), self.workspace.patches
        current = self.workspace.run
        if marked in (None, self._own) or patches is None or self.workspace.training:
            return
        assert marked is not None

        def work(watch: Watch) -> Run:
            run = Run.load(marked)
            rows = same_rows(known_of(patches, current, watch), run.who, marked)
            return run if np.array_equal(rows, np.arange(len(rows))) else run.picked(rows)

        self._opener.ask(work)

    def _on_opened(self, run: Run) -> None:
        if not self.workspace.training:
            self.workspace.set_run(run)

    def save_to(self, folder: str | Path) -> None:
        """Write table and picture of this map and those that are ticked."""
        wanted = {*self.table.ticked(), self._own}
        maps = [one for one in self.maps if one.folder in wanted]
        self._saver.ask(lambda watch: (compare(maps, folder, watch), Path(folder))[1])

    def _on_saved(self, folder: Path) -> None:
        self.message.say(f"Saved comparison.csv and comparison.png in {folder}.")

    def _on_marked(self) -> None:
        other = self.table.marked() not in (None, self._own)
        self.open.setEnabled(other and not self.workspace.training)

    def _ask_run(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Add a saved run", str(Path.home()))
        if found:
            self.add_run(found)

    def _ask_folder(self) -> None:
        found = QFileDialog.getExistingDirectory(
            self, "Folder for comparison.csv and comparison.png", str(Path.home())
        )
        if found:
            self.save_to(found)

    def dragEnterEvent(self, event: Any) -> None:
        """Take run folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Add what was dropped."""
        for path in dropped_paths(event):
            self.add_run(str(path))


def _maps_of(
    name: str, count: int, added: list[SavedMap], own: Path | None, watch: Watch
) -> list[SavedMap]:
    """Find saved maps of a patch set; those that were added, and the current one, as well."""
    found = find_maps(name, count, watch=watch)
    known = {one.folder for one in found}
    more = [one for one in added if one.folder not in known]
    if own is not None and own not in {*known, *(one.folder for one in more)}:
        with contextlib.suppress(RunError):  # somebody removed it meanwhile
            more.append(read_map(own))
    return [*found, *more]


def _folders(maps: list[SavedMap]) -> set[Path]:
    return {one.folder for one in maps}


def _read_all(
    maps: list[SavedMap],
    patches: PatchSet,
    run: Run | None,
    read: dict[Path, Compared],
    watch: Watch,
) -> list[Compared]:
    """Read the maps of the patches of a run that have not been read yet."""
    known, found = known_of(patches, run, watch), []
    for one in maps:
        watch.check()
        found.append(read.get(one.folder) or Compared(one, one.read_for(known)))
    return found
