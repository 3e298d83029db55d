"""Patches that were left out of a training, placed on the map that was made without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.workspace import Workspace

if TYPE_CHECKING:
    from qtpy.QtCore import QObject

    from napari_patchmap.runs import Placed, Run


class Leftovers:
    """Places them in the background, as soon as there is a map.

    Parameters
    ----------
    parent : QObject
        With it the work goes.
    workspace : Workspace
    show : callable
        Shows patches, their places (m, 2 or 3) and their table on the map.
    """

    def __init__(
        self,
        parent: QObject,
        workspace: Workspace,
        show: Callable[[PatchSet, np.ndarray, pd.DataFrame], None],
    ) -> None:
        self._workspace, self._show = workspace, show
        self._placing = Newest(parent, "Placing what was left out", self._on_placed)
        self._placing.failed.connect(workspace.say)
        workspace.run_changed.connect(self._on_run)

    def _on_run(self, run: Run | None) -> None:
        left = self._workspace.left_out
        if run is None or left is None:
            return

        def work(watch: Watch) -> tuple[Run, PatchSet, Placed]:
            return run, left, run.place(left, watch)

        self._placing.ask(work)

    def _on_placed(self, found: tuple[Run, PatchSet, Placed]) -> None:
        run, left, placed = found
        if self._workspace.run is run:
            table = left.table.assign(unlikeness=placed.unlikeness)
            self._show(left, placed.embedding, table)
