"""Does the map show biology or the batch? A technical column, chosen, checked, evened out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.quality.asked_box import AskedBox
from napari_patchmap.plugin.panels.quality.even_out_box import EvenOutBox
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.batch_check import batches_of
from napari_patchmap.quality.batches import in_order
from napari_patchmap.runs import Run


class BatchBox(AskedBox):
    """Says what neighbours tell of a column, shows the map in its colours, evens it out."""

    def add_parts(self) -> None:
        """Add what evens it out, which needs no answer."""
        self._batches: tuple[Run, str, np.ndarray] | None = None
        self._then_show = False
        self.evening = EvenOutBox(self.viewer, lambda: str(self.form.config.column))
        self.form.changed.connect(lambda _: self.evening.choose())
        self.fold.body.layout().addWidget(self.evening)

    @property
    def can_show(self) -> bool:
        """The map can be coloured by the column."""
        return True

    def show_found(self, found: Evaluation | None) -> None:
        """Show what was found, and of which column."""
        super().show_found(found)
        column = self.entry.get("column")
        if column in self.form.offered("column"):
            self.form.set_config(self.form.config.replace(column=column))
            self.evening.choose()

    def prepare(self, run: Run, patches: PatchSet) -> Callable[[Watch], Evaluation | None]:
        """Return what checks the column, and keeps how the patches were divided."""
        from napari_patchmap.training.asked_run import asked_run

        check, config, table = self.check, self.form.config, self.workspace.table

        def answer(watch: Watch) -> Evaluation:
            batches = batches_of(table, config.column, patches, watch)
            self._batches = run, config.column, batches
            divided = table.assign(**{config.column: batches})  # measured once
            return check.ask(asked_run(run, divided, lambda: patches), config, watch)

        return answer

    def take(self, found: Evaluation) -> None:
        """Keep it, and show it on the map if that was wanted."""
        super().take(found)
        if self._then_show:
            self.show_where()

    def show_where(self) -> None:
        """Colour the map by the column as the patches were divided."""
        owner, run, column = MapLayer.of(self.viewer), self.workspace.run, self.entry["column"]
        self._then_show = False
        owner.show_map()
        of, name, batches = self._batches or (None, "", np.empty(0))
        if of is run and name == column:
            table = pd.DataFrame({column: in_order(batches)})
            owner.set_colouring(colour_by(table, column))
        elif column in self.workspace.table:
            owner.colour_by(column)
        else:  # it was found in another window
            self._then_show = True
            self.start()
