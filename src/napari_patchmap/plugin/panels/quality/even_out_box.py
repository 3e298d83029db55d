"""Evening out a batch effect: another map, what it did, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_patchmap.errors import RunError
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.qt.basics import button, choice, column, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.texts import Wrapped
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.worker import sentence_of
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.quality.before_after import before_after_lines, evening_warning
from napari_patchmap.runs.evening import EveningConfig

if TYPE_CHECKING:
    from napari_patchmap.runs import Run
    from napari_patchmap.training.progress import Progress

_EVEN, _ANYWAY = "Even it out", "Even it out all the same"

#: What of the features is kept: usually, and as published.
_KEPT = {
    "main components": EveningConfig(),
    "all components": EveningConfig(variance=1.0),
}


class EvenOutBox(QWidget):
    """Makes a map of the features evened out between the values of a chosen column."""

    def __init__(self, viewer: Viewer, chosen: Callable[[], str]) -> None:
        super().__init__()
        self._workspace, self._chosen = workspace_of(viewer), chosen
        self._before: Run | None = None
        self._made: Run | None = None
        self.even = button(
            _EVEN,
            "",
            "<qt>Take what differs between the values of this column out of the features, and "
            "lay them out again, in the background: right where all of them hold about the "
            "same mix of patches. The new map is a run of its own; this one stays. It then "
            "says what became of the column, and of the labels.</qt>",
        )
        self.kept = choice(
            "<qt>Which principal components of the features are centred and scaled in each "
            "batch: those of 99 % of their variance, or all, as published. The least of them "
            "then count as much as the first, which takes more of the batch away, and mostly "
            "more of the biology.</qt>"
        )
        self.kept.setAccessibleName("Components")
        self.kept.addItems(list(_KEPT))
        self.work = WorkBar()
        self.said, self.numbers = Wrapped(""), Wrapped()
        self.back = button(
            "Back to the map before", "link", "Show the map from which this one was made."
        )
        column(
            self,
            row(self.even, self.kept),
            self.work.with_button("Stop; nothing is changed."),
            self.said,
            self.numbers,
            row(self.back, 1),
            spacing=6,
        )
        self.even.clicked.connect(lambda: self._on_even())
        self.back.clicked.connect(self._on_back)
        self.work.done.connect(self._on_done)
        self.work.failed.connect(lambda sentence, _: self._say(sentence))
        self.work.ended.connect(self._on_ended)
        subscribe(self, self._workspace.run_changed, self._on_run)
        subscribe(self, self._workspace.training_changed, self._on_ended)
        self._on_run(self._workspace.run)

    def choose(self) -> None:
        """Take it that another column may have been chosen."""
        if self.even.text() == _ANYWAY:
            self._say("")
        self.even.setText(_EVEN)

    def _on_run(self, run: Run | None) -> None:
        self.work.cancel()
        self.choose()
        self.setVisible(run is not None and run.dimensions > 0)
        found = None if run is None else run.metrics.get("evened")
        first, *others = before_after_lines(found) if found else [""]
        if run is not None and run.evened is not None:
            others = [*run.evened.lines(), *others]
            if run.evened.of:
                others.append(f"Made of the run in {run.evened.of}, which is as it was")
        self._say(first, others)
        if run is None or run is not self._made:
            self._before = self._made = None
        self.back.setVisible(self._before is not None)

    def _say(self, sentence: str, others: list[str] | None = None) -> None:
        self.said.setText(sentence)
        self.numbers.setText("\n".join(others or []))
        self.said.setVisible(bool(sentence))
        self.numbers.setVisible(bool(others))

    def _on_even(self) -> None:
        from napari_patchmap.quality.batch_check import batches_of
        from napari_patchmap.runs import alone_in, new_run_folder
        from napari_patchmap.training import save_run
        from napari_patchmap.training.even_out import even_out

        run, patches, name = self._workspace.run, self._workspace.patches, self._chosen()
        if run is None or patches is None or not name or self._workspace.training:
            return
        config, anyway = _KEPT[self.kept.currentText()], self.even.text() == _ANYWAY

        def work(watch: Watch) -> str | tuple[Run, Run, str]:
            def follow(progress: Progress) -> None:
                watch.step(round(100 * progress.fraction), 100)

            batches = batches_of(patches.table, name, patches, watch)
            warning = evening_warning(batches, patches.labels, name)
            if warning and not anyway:
                return warning
            made = even_out(
                run,
                batches,
                name,
                config,
                labels=patches.labels,
                progress=follow,
                should_stop=watch.should_stop,
            )
            folder = new_run_folder(f"{patches.name} evened out")
            watch.step(100, 100)
            try:
                with alone_in(folder):
                    save_run(made, folder)
            except (RunError, OSError) as error:
                return run, made, f"{sentence_of(error)} The map is here until you close it."
            return run, made, " ".join(made.missed)

        self._say("")
        self.back.hide()
        self.even.setEnabled(False)
        self.work.start("Evening out", work, "evening out…")

    def _on_done(self, result: str | tuple[Run, Run, str]) -> None:
        if isinstance(result, str):
            self._say(result)
            self.even.setText(_ANYWAY)
            return
        before, made, trouble = result
        if trouble:
            self._workspace.say(trouble)
        if self._workspace.run is not before or self._workspace.training:
            self._workspace.say(f"The map that was evened out is saved in {made.folder}.")
            return
        self._before, self._made = before, made
        self._workspace.set_run(made)

    def _on_ended(self, _: bool = False) -> None:
        self.even.setEnabled(not self._workspace.training)

    def _on_back(self) -> None:
        if self._before is not None and not self._workspace.training:
            self._workspace.set_run(self._before)
