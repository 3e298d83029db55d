"""A question whose answer grows while one waits, and stays when one has enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from napari.viewer import Viewer
from qtpy.QtWidgets import QPushButton, QWidget

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.panels.quality.question import Question
from napari_patchmap.plugin.qt.basics import label
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.figure import GrowingWatch

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class GrowingAnswer(QWidget):
    """Begins work on the current map, shows what is known so far, and keeps it in the run.

    A question of this kind has a ``key``, under which its answer stands in the run's
    metrics, a button ``begin``, and the three methods below; ``question`` if it folds.
    """

    key: ClassVar[str]
    question: Question | None = None

    def __init__(self, viewer: Viewer, begin: QPushButton) -> None:
        super().__init__()
        self._workspace = workspace_of(viewer)
        self._so_far: dict[str, Any] = {}
        self._of: Run | None = None
        self.begin = begin
        self.said = label("", "", wrap=True)
        self.work = WorkBar()

    def watch_workspace(self) -> None:
        """Follow the workspace; called when all parts are there."""
        self.begin.clicked.connect(self._on_begin)
        self.work.valueChanged.connect(self._on_progress)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self._on_ended)
        subscribe(self, self._workspace.run_changed, self._on_run)
        subscribe(self, self._workspace.patches_changed, self._on_run)
        self._on_run(self._workspace.run)

    def take_up(self, run: Run | None, patches: PatchSet | None) -> bool:
        """Offer what there is to choose for a map; say whether the question makes sense."""
        raise NotImplementedError

    def prepare(self, run: Run, patches: PatchSet) -> Callable[[GrowingWatch], object]:
        """Read what was chosen; return the work, which runs in another thread."""
        raise NotImplementedError

    def show_found(self, found: dict[str, Any]) -> None:
        """Show an answer, or nothing where it is empty."""
        raise NotImplementedError

    def _on_run(self, _: Any) -> None:
        self.work.cancel()
        self._so_far, self._of = {}, None
        self.setVisible(self.take_up(self._workspace.run, self._workspace.patches))
        self._show_kept()

    def _show_kept(self) -> None:
        run = self._workspace.run
        found = {} if run is None else run.metrics.get(self.key) or {}
        self.show_found(found)
        if found and self.question is not None:
            self.question.open(True)

    def _on_begin(self) -> None:
        run, patches = self._workspace.run, self._workspace.patches
        if run is None or patches is None:
            return
        answer = self.prepare(run, patches)

        def work(watch: Watch) -> None:
            def look(found: dict[str, Any], done: int, total: int) -> bool:
                self._so_far = found
                return watch.ends(done, total)

            answer(look)

        self._so_far, self._of = {}, run
        self.begin.setEnabled(False)
        self.work.start("Answering a question about the map", work, "beginning…")

    def _on_progress(self, _: int) -> None:
        if self._so_far and self.work.running:
            self.show_found(self._so_far)

    def _on_failed(self, sentence: str, _: Exception | None) -> None:
        self._show_kept()
        self.said.setText(sentence)
        self.said.setVisible(True)

    def _on_ended(self) -> None:
        """Keep what is known, all of it or what it was when somebody had enough."""
        self.begin.setEnabled(True)
        run, found = self._of, self._so_far
        if run is None or run is not self._workspace.run or not found:
            return
        run.metrics[self.key] = found
        self.show_found(found)
        if trouble := run.keep(Evaluation(run.metrics, run.columns)):
            self._workspace.say(trouble)
