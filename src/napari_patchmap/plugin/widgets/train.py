"""The "Train map" panel: plan, start, watch and cancel a training."""

from __future__ import annotations

from typing import Any

import napari.viewer
from qtpy.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from napari_patchmap.plugin.form import ConfigForm
from napari_patchmap.plugin.layers import MapLayer
from napari_patchmap.plugin.opening import MISSING
from napari_patchmap.plugin.training import Trained, Training
from napari_patchmap.plugin.widgets.loss_curve import LossCurve
from napari_patchmap.plugin.widgets.panel import WorkPanel, label, line
from napari_patchmap.plugin.widgets.parts import Message, button
from napari_patchmap.plugin.widgets.result import Result
from napari_patchmap.plugin.worker import Newest
from napari_patchmap.runs.config import RunConfig, TrainConfig
from napari_patchmap.training import describe_plan
from napari_patchmap.training.progress import Progress, say_time

#: Steps of the progress bar.
_FULL = 1000

#: Share of the run until which the time left may still have to be estimated.
_EARLY = 0.1


class TrainMap(WorkPanel):
    """Trains a map of the workspace's patches."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        MapLayer.of(self.viewer)
        self._training: Training | None = None
        self._cancelled = False
        self.form = ConfigForm(TrainConfig())
        self.plan = label("", "hint", wrap=True)
        self.plan.setToolTip("What Start will do on this computer, with these patches.")
        self.live = _Live()
        self.message = Message()
        self.result = Result(self.message)
        self.button = button("Start training", "primary")
        self.column.addWidget(self.form)
        self.column.addWidget(self.plan)
        self.column.addWidget(self.live)
        self.column.addWidget(self.message)
        self.column.addWidget(line())
        self.column.addWidget(self.result)
        self.column.addStretch(1)
        self.footer.addWidget(self.button)
        self.next = self.lead_to("explore", "Next: explore the map")

        self._plans = Newest(self, "Planning a training")
        self._plans.done.connect(self.plan.setText)
        self._plans.failed.connect(self.plan.setText)
        self.form.changed.connect(lambda _: self._describe())
        self.form.refused.connect(lambda sentence: self.message.say(sentence, "error"))
        self.button.clicked.connect(self._on_button)
        self.listen(self.workspace.patches_changed, self._on_patches)
        self.listen(self.workspace.training_changed, self._on_training)
        self.listen(self.workspace.run_changed, self._on_run)
        self._on_run(self.workspace.run)
        self._on_patches(self.workspace.patches)
        self._on_training(self.workspace.training)
        self.guard_wheel()

    # -- before ----------------------------------------------------------------------

    @property
    def config(self) -> RunConfig:
        """Everything that a run started now would follow."""
        return RunConfig(self.form.config, self.workspace.augment)

    def _on_patches(self, patches: Any) -> None:
        if self._training is not None and not self._training.current:
            self.need("")
        elif patches is None:
            self.need("Load patches first: the map is trained on them.")
        elif patches.origin.get("kind") == MISSING:
            self.need("The images of this run are gone; load patches to train a map.")
        else:
            self.need("")
            if self._training is None:
                self.live.hide()
                self.message.say("")
            self._describe()

    def _describe(self) -> None:
        patches, config = self.workspace.patches, self.config
        if patches is not None:
            self._plans.ask(lambda _: describe_plan(patches, config))

    # -- start and cancel ------------------------------------------------------------

    def start(self) -> None:
        """Start training on the current patches."""
        patches = self.workspace.patches
        if patches is None or self.workspace.training or self.missing:
            return
        training = Training(self.workspace, patches, self.config)
        training.progressed.connect(self._on_progress)
        training.finished.connect(self._on_finished)
        training.failed.connect(self._on_failed)
        self._training, self._cancelled = training, False
        self._farewell.append(training.stop)
        self.message.say("")
        self.live.begin()
        training.start()

    def cancel(self) -> None:
        """End the training and keep what was learned."""
        if self._training is not None:
            self._cancelled = True
            self._training.stop()
            self.live.say("Cancelling: finishing the map of what was learned")
            self._show_state()

    def _on_button(self) -> None:
        if self._training is None:
            self.start()
        else:
            self.cancel()

    def _on_run(self, run: Any) -> None:
        self.result.show_run(run)
        self.next.setVisible(run is not None)

    def _on_training(self, _: bool) -> None:
        self._show_state()

    def _show_state(self) -> None:
        """Make the button say what it would do now."""
        busy = self.workspace.training
        self.form.setEnabled(not busy)
        self.button.setEnabled(not busy or (self._training is not None and not self._cancelled))
        if busy and self._training is None:
            self.button.setText("Another training is ending…")
        elif busy:
            self.button.setText("Cancelling…" if self._cancelled else "Cancel")
        else:
            self.button.setText("Start training")
        self.button.setToolTip(
            "Stop here and keep the map of what was learned so far."
            if busy
            else "Train a map in the background; you can go on working meanwhile."
        )
        role = "" if busy else "primary"
        if self.button.property("role") != role:
            self.button.setProperty("role", role)
            self.button.style().unpolish(self.button)
            self.button.style().polish(self.button)

    # -- meanwhile and after ------------------------------------------------------------

    def _on_progress(self, reports: list[Progress]) -> None:
        self.live.follow(reports, cancelling=self._cancelled)

    def _on_finished(self, trained: Trained) -> None:
        training = self._forget_training()
        run = trained.run
        self.live.end(whole=run.complete)
        if trained.trouble:
            self.message.say(f"{trained.trouble} The run is kept here until you do.", "error")
        elif not training.current:
            self.message.say(
                f"Other patches were loaded meanwhile; the run of {run.name} is saved in "
                f"{run.folder}.",
                "note",
            )
        elif not run.complete:
            self.message.say("Cancelled; the map shows what was learned until then.", "note")

    def _on_failed(self, sentence: str) -> None:
        self._forget_training()
        self.live.hide()
        self.message.say(sentence, "error")

    def _forget_training(self) -> Training:
        training, self._training = self._training, None
        assert training is not None
        self._farewell.remove(training.stop)
        self._cancelled = False
        self._show_state()
        self._on_patches_after(training)
        return training

    def _on_patches_after(self, training: Training) -> None:
        """Catch up with patches that were loaded while training."""
        if not training.current:
            self._on_patches(self.workspace.patches)


class _Live(QWidget):
    """Stage, progress, time left and the loss curve of a training."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = 0.0
        self.phase = label("", "group", wrap=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, _FULL)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(10)
        self.times = label("", "hint", wrap=True)
        self.curve = LossCurve()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 4, 0, 0)
        rows.setSpacing(5)
        for part in (self.phase, self.bar, self.times, self.curve):
            rows.addWidget(part)
        self.hide()

    def begin(self) -> None:
        """Get ready for a training."""
        self.curve.clear()
        self.phase.setText("Preparing")
        self.times.setText("")
        self.bar.setRange(0, 0)
        self.bar.show()
        self.times.show()
        self.show()

    def say(self, phase: str) -> None:
        """Say what is being done."""
        self.phase.setText(phase)

    def follow(self, reports: list[Progress], *, cancelling: bool) -> None:
        """Show where the training is."""
        for report in reports:
            if report.stage:
                self.curve.add(report.stage, report.fraction, report.loss)
        last = reports[-1]
        self._seconds = last.seconds
        self.bar.setRange(0, _FULL)
        self.bar.setValue(round(_FULL * last.fraction))
        if not cancelling:
            self.phase.setText(last.phase[:1].upper() + last.phase[1:])
        self.times.setText(" · ".join(times(last)))

    def end(self, *, whole: bool) -> None:
        """Leave the curve, say that it is over and how long it took."""
        self.bar.hide()
        self.times.hide()
        taken = say_time(self._seconds)
        self.phase.setText(f"Trained in {taken}" if whole else f"Stopped after {taken}")


def times(report: Progress) -> list[str]:
    """Say epoch, time left and speed."""
    said = []
    if report.epochs > 0:
        said.append(f"epoch {min(report.epoch, report.epochs):.3g} of {report.epochs:.3g}")
    if report.seconds_left == report.seconds_left:
        said.append(f"{say_time(report.seconds_left)} left")
    elif report.fraction < _EARLY:
        said.append("estimating the time left")
    if report.views_per_second > 0:
        said.append(f"{report.views_per_second:,.0f} views/s")
    return said
