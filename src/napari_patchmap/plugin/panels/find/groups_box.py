"""Groups in the window: how many, which they are, and what people make of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from napari_patchmap.errors import PatchmapError
from napari_patchmap.explore.colouring import colour_by, proper_groups
from napari_patchmap.explore.history import History
from napari_patchmap.find.group_edits import (
    as_annotation,
    merge_groups,
    rename_group,
    split_group,
)
from napari_patchmap.find.group_report import GROUP, regrouped
from napari_patchmap.find.search import INDEX, Found, found_column
from napari_patchmap.find.space import points_of
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.find.elbow_plot import ElbowPlot
from napari_patchmap.plugin.panels.find.groups_table import GroupsTable
from napari_patchmap.plugin.panels.find.search_box import SearchBox
from napari_patchmap.plugin.qt.basics import button, row

#: From names and points of the groups to other names.
Change = Callable[[np.ndarray, np.ndarray], np.ndarray]


class GroupsBox(SearchBox):
    """Finds groups; a click on one selects its patches, and they can be changed by hand."""

    def add_parts(self) -> None:
        """Add the curve, the table, and what can be done with the groups in it."""
        self.elbow = ElbowPlot(self.viewer)
        self.table = GroupsTable()
        self.merge = button(
            "Merge", "", "Make one group of those that are chosen; the largest gives its name."
        )
        self.split = button("Split", "", "Divide the chosen group into two, by k-means in it.")
        self.undo = button("Undo", "", "Go back to the groups before.")
        self.annotate = button(
            "Annotate from these groups",
            "",
            "Make an annotation whose classes are the groups, to be mended patch by patch.",
        )
        self._steps: History[Found | None] = History(None)
        self._curve: dict[str, Any] = {}
        self.parts.insertWidget(0, self.elbow)
        self.parts.addWidget(self.table)
        self.parts.addLayout(row(self.merge, self.split, self.undo, 1))
        self.parts.addLayout(row(self.annotate, 1))
        self.elbow.picked.connect(self._on_number)
        self.table.picked.connect(self._on_picked)
        self.table.renamed.connect(self._on_renamed)
        self.table.looked_at.connect(self.workspace.set_current)
        self.merge.clicked.connect(self._on_merge)
        self.split.clicked.connect(self._on_split)
        self.undo.clicked.connect(self._on_undo)
        self.annotate.clicked.connect(self._on_annotate)

    def show_found(self, found: Found | None) -> None:
        """Show groups, their curve, or that there are none."""
        super().show_found(found)
        report = {} if found is None else found.report
        if "elbow" in report:
            self._curve = {"of": report["of"], **report["elbow"]}
        same = bool(report) and self._curve.get("of") == report["of"]
        self.elbow.show_elbow(self._curve if same else {})
        groups = report.get("groups", [])
        self.table.setVisible(bool(groups))
        typical = {} if found is None or not groups else _typical(found)
        shown = [{**group, "typical": typical.get(group["name"], [])} for group in groups]
        self.table.show_groups(shown, self._colours(), self.workspace.patches)
        self.annotate.setEnabled(bool(groups))
        self._refresh()

    def take(self, found: Found) -> None:
        """Keep groups, as a step that can be undone; a curve alone is no answer yet."""
        if not found.columns:
            self.show_kept()
            return
        if self._steps.now is None:
            self._steps = History(found)
        else:
            self._steps.go_to(found)
        super().take(found)
        self.colour_by(GROUP)

    def _colours(self) -> dict[str, np.ndarray]:
        """Return the colours that the groups have on the map, RGBA, by their names."""
        column, table = found_column(GROUP), self.workspace.table
        if column not in table:
            return {}
        colouring = colour_by(table, column)
        return {colouring.names[at]: colouring.palette[at] for at in proper_groups(colouring)}

    def _refresh(self) -> None:
        chosen = len(self.table.chosen())
        self.merge.setEnabled(chosen > 1)
        self.split.setEnabled(chosen == 1)
        self.undo.setEnabled(self._steps.can_undo)

    # -- what people do ------------------------------------------------------------------

    def _on_number(self, number: int) -> None:
        """Take the number that was clicked, and make so many groups."""
        self.form.set_config(self.form.config.replace(groups=number, method="k-means"))
        self.start()

    def _on_picked(self, names: list[str]) -> None:
        self._refresh()
        if self.found is not None and GROUP in self.found.columns and names:
            rows = np.flatnonzero(np.isin(self.found.columns[GROUP].astype(str), names))
            self.workspace.select(MapLayer.of(self.viewer).visible(rows))

    def _on_renamed(self, old: str, new: str) -> None:
        self._change(lambda names, _: rename_group(names, old, new))

    def _on_merge(self) -> None:
        chosen = self.table.chosen()
        self._change(lambda names, _: merge_groups(names, chosen))

    def _on_split(self) -> None:
        (one,) = self.table.chosen()
        seed = self.form.config.seed
        self._change(lambda names, points: split_group(names, one, points, seed=seed))

    def _change(self, change: Change) -> None:
        """Change the groups in the background, where they are described again."""
        from napari_patchmap.runs.finding import input_of

        run, found, patches = self.workspace.run, self.found, self.workspace.patches
        if run is None or found is None or self.work.running:
            return
        table = self.workspace.table

        def answer(watch: Watch) -> Found:
            given = input_of(run, table, patches)
            points = points_of(given, found.report["of"])
            watch.check()
            names = change(found.columns[GROUP], points)
            return regrouped(given, points, names, found, watch)

        self.ask(run, answer, "changing…")

    def _on_undo(self) -> None:
        if self._steps.undo() and self._steps.now is not None:
            super().take(self._steps.now)

    def _on_annotate(self) -> None:
        if self.found is None:
            return
        names = self.found.columns[GROUP]
        colours = {name: to_hex(colour[:3]) for name, colour in self._colours().items()}
        taken = [str(name) for name in self.workspace.table.columns]
        try:
            made = as_annotation(self.workspace.annotations, names, taken, colours)
            self.workspace.set_annotations(made)
        except PatchmapError as error:
            self.said.say(str(error))
            return
        self.said.say(f"The annotation {made.active} has these groups as classes.")

    def _on_run(self, _: Any = None) -> None:
        self._steps, self._curve = History(None), {}
        super()._on_run()
        if self.found is not None:
            self._steps = History(self.found)
        self._refresh()


def _typical(found: Found) -> dict[str, list[int]]:
    """Return the patches that are listed of each group, those that are there today."""
    rows = found.listed.groupby(GROUP, sort=False)[INDEX]
    return {str(name): [int(row) for row in some] for name, some in rows}
