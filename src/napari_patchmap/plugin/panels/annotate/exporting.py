"""Taking patches elsewhere, with all that is known of them."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.basics import button, column
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.texts import Sentence
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.runs.export import EXPORT_FORMATS, Exported, export


class Exporting(QWidget):
    """One button: the name that is chosen says in which format."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self.workspace = owner.workspace
        self.button = button(
            "Export…", "",
            "Write the selected patches, or all, with their annotations and kept selections: a "
            "table, features for scanpy, boxes or outlines for QuPath, images in folders by "
            "class, a stack.",
        )  # fmt: skip
        self.button.clicked.connect(self._ask)
        self.said = Sentence()
        self.writing = WorkBar()
        self.writing.done.connect(self._on_done)
        self.writing.failed.connect(lambda sentence, _: self.said.say(sentence))
        self.writing.ended.connect(self._refresh)
        column(self, self.button, self.writing.with_button(), self.said, spacing=4)
        subscribe(self, self.workspace.run_changed, self._on_run)
        self._on_run(self.workspace.run)

    def _on_run(self, run: object) -> None:
        self.said.say("")
        self._refresh()

    def _refresh(self) -> None:
        self.button.setEnabled(self.workspace.run is not None and not self.writing.running)

    def _ask(self) -> None:
        kinds = [
            f"{one.title} (*{one.ending})" if one.ending else f"{one.title} (*)"
            for one in EXPORT_FORMATS
        ]
        path, kind = QFileDialog.getSaveFileName(
            self, "Export", "patches.csv", ";;".join(kinds)
        )
        if path:
            ending = EXPORT_FORMATS[kinds.index(kind)].ending if kind in kinds else ""
            self.export_to(path if Path(path).suffix else f"{path}{ending}")

    def export_to(self, path: str | Path) -> None:
        """Write the selected patches, or all when none is, in the format of the ending."""
        workspace = self.workspace
        run, patches, annotations = workspace.run, workspace.patches, workspace.annotations
        if run is None:
            return
        chosen, columns = workspace.selection, annotations.table()
        colours = {one.name: one.colours for one in annotations.columns}
        selections = {one.name: one.indices for one in workspace.named.kept}
        worked_on = annotations.active if annotations.active in columns else None

        def work(watch: Watch) -> Exported:
            return export(
                run, path, rows=chosen if len(chosen) else None, class_column=worked_on,
                columns=columns, colours=colours, selections=selections, patches=patches,
                watch=watch,
            )  # fmt: skip

        self.said.say("")
        self.writing.start(f"Exporting to {Path(path).name}", work)
        self._refresh()

    def _on_done(self, written: Exported) -> None:
        names = ", ".join(path.name for path in written.paths[:3])
        more = f" and {len(written.paths) - 3} more" if len(written.paths) > 3 else ""
        said = (
            f"Exported {written.count:,} patches to {names}{more} in {written.paths[0].parent}."
        )
        self.said.say(" ".join([said, *written.notes]))
