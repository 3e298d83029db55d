"""Would the map be the same again? Checks without labels, each with a button."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.quality.question import Question
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.asked import AskedCheck
from napari_patchmap.quality.asked_checks import CHECKS
from napari_patchmap.quality.columns import column_of

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class StabilityPanel(QWidget):
    """All checks, one after the other; one is made at a time."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer, self._workspace = viewer, workspace_of(viewer)
        self._so_far: Evaluation | None = None
        self._of: tuple[Run, AskedCheck] | None = None
        self.checks = {check.key: _Check(check) for check in CHECKS}
        self.work = WorkBar()
        for one in self.checks.values():
            one.begin.clicked.connect(partial(self._on_begin, one.check))
            one.where.clicked.connect(partial(self._show_where, one.check))
        self.question = Question(
            "Is the map stable?",
            self,
            *self.checks.values(),
            self.work.with_button("Stop; what is known so far stays."),
        )
        self.work.valueChanged.connect(self._on_progress)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self._on_ended)
        subscribe(self, self._workspace.run_changed, self._on_run)
        subscribe(self, self._workspace.patches_changed, self._on_run)
        self._on_run()

    def _on_run(self, _: Any = None) -> None:
        """Forget what was asked of the map before, and show what is known of this one."""
        self._of, self._so_far = None, None
        self.work.cancel()
        run = self._workspace.run
        self.setVisible(run is not None and run.dimensions > 0)
        self._show_known()

    def _show_known(self) -> None:
        from napari_patchmap.runs.stability import why_not

        run, patches = self._workspace.run, self._workspace.patches
        for one in self.checks.values():
            if run is None or patches is None or len(patches) != len(run):
                one.show_found(None)
                continue
            found = run.metrics.get(one.check.key)
            one.show_found(found, why_not(run, one.check, patches))
            if found:
                self.question.open(True)

    def _on_begin(self, check: AskedCheck) -> None:
        from napari_patchmap.runs.stability import find_out

        run, patches = self._workspace.run, self._workspace.patches
        if run is None or patches is None:
            return

        def work(watch: Watch) -> None:
            def look(found: Evaluation | None, done: int, total: int) -> bool:
                self._so_far = found or self._so_far
                watch.step(done, total)
                return False

            find_out(run, check, patches, look)

        self._so_far, self._of = None, (run, check)
        for one in self.checks.values():
            one.begin.setEnabled(False)
        self.work.start(check.question, work, "beginning…")

    def _on_progress(self, _: int) -> None:
        if self.work.running and self._so_far is not None and self._of is not None:
            check = self._of[1]
            self.checks[check.key].show_found(self._so_far.report[check.key])

    def _on_failed(self, sentence: str, _: Exception | None) -> None:
        if self._of is not None:
            self.checks[self._of[1].key].show_sentence(sentence)

    def _on_ended(self) -> None:
        """Keep what is known, all of it or what it was when somebody had enough."""
        for one in self.checks.values():
            one.begin.setEnabled(True)
        asked, found = self._of, self._so_far
        self._of, self._so_far = None, None
        if asked is None or found is None or asked[0] is not self._workspace.run:
            return
        run, check = asked
        self._workspace.take_measured(found)
        self.checks[check.key].show_found(run.metrics[check.key])
        if trouble := run.keep(Evaluation(run.metrics, {**run.columns})):
            self._workspace.say(trouble)

    def _show_where(self, check: AskedCheck) -> None:
        owner = MapLayer.of(self._viewer)
        owner.show_map()
        owner.colour_by(column_of(check))


class _Check(QWidget):
    """A question, the button that has it answered, and the answer."""

    def __init__(self, check: AskedCheck) -> None:
        super().__init__()
        self.check = check
        about = f"<qt>{check.help} ({check.reference})</qt>"
        self.begin = button("Find out", "", about)
        self.said = label("", "", wrap=True)
        self.numbers = label("", "hint", wrap=True)
        self.where = button("Show where", "link", f"Colour the map by {check.name}.")
        question = label(check.question, "group", wrap=True)
        question.setToolTip(about)
        head = row(question, self.begin)
        head.setStretch(0, 1)
        column(self, head, self.said, self.numbers, row(self.where, 1), spacing=2)

    def show_found(self, found: dict[str, Any] | None, reason: str = "") -> None:
        """Show the answer as far as it is known, or the reason why there is none."""
        lines = [reason] if found is None else self.check.lines(found)
        self.begin.setVisible(not reason)
        self.said.setText(lines[0])
        self.numbers.setText("\n".join(lines[1:]))
        self.said.setVisible(bool(lines[0]))
        self.numbers.setVisible(len(lines) > 1)
        self.where.setVisible(found is not None)

    def show_sentence(self, sentence: str) -> None:
        """Show why it could not be found out."""
        self.said.setText(sentence)
        self.said.setVisible(True)
