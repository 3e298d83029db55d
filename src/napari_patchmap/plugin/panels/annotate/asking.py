"""Questions to the features of the run, answered in the background."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.workspace import Workspace


class Asking(WorkBar):
    """Asks one thing at a time; the answer counts while the run is the same."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._asked: tuple[Any, Callable[[Any], None]] | None = None
        self.done.connect(self._on_answer)

    def ask(self, name: str, work: Callable[[Watch], Any], use: Callable[[Any], None]) -> None:
        """Do some work in the background, and then something with what comes of it."""
        self._asked = self._workspace.run, use
        self.start(name, work)

    def _on_answer(self, answer: Any) -> None:
        assert self._asked is not None
        run, use = self._asked
        if self._workspace.run is run:
            use(answer)
