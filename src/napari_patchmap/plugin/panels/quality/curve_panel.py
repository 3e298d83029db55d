"""How many labels would be enough? Found out in the background, shown as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.viewer import Viewer
from qtpy.QtWidgets import QSpinBox, QWidget

from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.panels.quality.curve_plot import CurvePlot
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.label_curve import CurveConfig, curve_said, label_curve

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class CurvePanel(QWidget):
    """Draws labels again and again, and shows how good classifiers of the features are."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._workspace = workspace_of(viewer)
        self._so_far: dict[str, Any] = {}
        self._of: Run | None = None
        self.repeats = QSpinBox()
        self.repeats.setRange(1, 100)
        self.repeats.setValue(20)
        self.repeats.setSuffix(" draws")
        self.repeats.setToolTip(
            "<qt>How often labels are drawn at random; the more, the surer. Published: 100."
            "</qt>"
        )
        self.begin = button(
            "Find out",
            "",
            "<qt>Train four classifiers on the features with 1 to 1,000 labels of each class, "
            "and test them on patches that were held out. In the background.</qt>",
        )
        self.plot = CurvePlot(viewer)
        self.legend = label("", "hint", wrap=True)
        self.said = label("", "", wrap=True)
        self.work = WorkBar()
        column(
            self,
            label("How many labels would be enough?", "heading", wrap=True),
            row(self.repeats, self.begin, 1),
            self.work.with_button("Stop; what is known so far stays."),
            self.plot,
            self.legend,
            self.said,
            spacing=6,
        )
        self.begin.clicked.connect(self._on_begin)
        self.work.valueChanged.connect(self._on_progress)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self._on_ended)
        subscribe(self, self._workspace.run_changed, self._on_run)
        subscribe(self, self._workspace.patches_changed, self._on_run)
        self._on_run(self._workspace.run)

    def _on_run(self, _: Any) -> None:
        self.work.cancel()
        self._so_far = {}
        run, patches = self._workspace.run, self._workspace.patches
        there = run is not None and run.dimensions > 0
        self.setVisible(there and patches is not None and patches.labels is not None)
        self._show({} if run is None else run.metrics.get("label_curve") or {})

    def _show(self, found: dict[str, Any]) -> None:
        self.plot.show_curves(found)
        self.legend.setText(self.plot.legend())
        self.said.setText(curve_said(found) if found else "")
        for part in (self.plot, self.legend, self.said):
            part.setVisible(bool(found))

    def _on_begin(self) -> None:
        run, patches = self._workspace.run, self._workspace.patches
        labels = None if patches is None else patches.labels
        if run is None or labels is None:
            return
        config = CurveConfig(repeats=self.repeats.value())

        def work(watch: Watch) -> None:
            def look(found: dict[str, Any], done: int, total: int) -> bool:
                self._so_far = found
                return watch.ends(done, total)

            label_curve(run.features, labels, config, look)

        self._so_far, self._of = {}, run
        self.begin.setEnabled(False)
        self.work.start("Finding out how many labels are enough", work, "the first draw…")

    def _on_progress(self, _: int) -> None:
        if self._so_far and self.work.running:
            self._show(self._so_far)

    def _on_failed(self, sentence: str, _: Exception | None) -> None:
        self.said.setText(sentence)
        self.said.setVisible(True)

    def _on_ended(self) -> None:
        """Keep what is known, all of it or what it was when somebody had enough."""
        self.begin.setEnabled(True)
        run, found = self._of, self._so_far
        if run is None or run is not self._workspace.run or not found:
            return
        run.metrics["label_curve"] = found
        self._show(found)
        if trouble := run.keep(Evaluation(run.metrics, run.columns)):
            self._workspace.say(trouble)
