"""Stage, progress, time left, loss curve and notes of a training."""

from __future__ import annotations

from qtpy.QtWidgets import QProgressBar, QWidget

from napari_patchmap.percent import rounded
from napari_patchmap.plugin.panels.train.loss_curve import LossCurve
from napari_patchmap.plugin.qt.basics import column, label
from napari_patchmap.plugin.qt.texts import Message
from napari_patchmap.training.progress import Progress, say_time

#: Steps of the progress bar.
_FULL = 1000

#: Share of the run until which the time left may still have to be estimated.
_EARLY = 0.1


class Live(QWidget):
    """Shows where a training is."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = 0.0
        self._phase = ""
        self._held = ""
        self.phase = label("", "group", wrap=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, _FULL)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(10)
        self.times = label("", "hint", wrap=True)
        self.curve = LossCurve()
        self.notes = Message()
        parts = (self.phase, self.bar, self.times, self.curve, self.notes)
        column(self, *parts, spacing=5).setContentsMargins(0, 4, 0, 0)
        self.hide()

    def begin(self) -> None:
        """Get ready for a training."""
        self.curve.clear()
        self.curve.hide()
        self.notes.say("")
        self._held = ""
        self._say("Preparing")
        self.times.setText("")
        self.bar.setRange(0, 0)
        self.bar.show()
        self.times.show()
        self.show()

    def hold(self, phase: str) -> None:
        """Say something in place of the stage, such as "Paused"; "" for the stage again."""
        self._held = phase
        if phase and self.bar.maximum() == 0:
            self.bar.setRange(0, _FULL)  # which would go on moving
        self._say(self._phase)

    def follow(self, reports: list[Progress]) -> None:
        """Show where the training is."""
        for report in reports:
            if report.stage:
                self.curve.add(report.stage, report.fraction, report.loss)
                # What learns nothing, such as a t-SNE of features, has no curve.
                self.curve.setVisible(bool(self.curve.points))
            if report.note and report.note not in self.notes.text.split("\n"):
                said = f"{self.notes.text}\n{report.note}".strip()
                self.notes.say(said, "note")
        last = reports[-1]
        self._seconds = last.seconds
        self.bar.setRange(0, _FULL)
        self.bar.setValue(round(_FULL * last.fraction))
        self._say(last.phase[:1].upper() + last.phase[1:])
        self.times.setText(" · ".join(times(last)))

    def end(self, *, whole: bool) -> None:
        """Leave curve and notes, say that it is over and how long it took."""
        self.bar.hide()
        self.times.hide()
        self._held = ""
        taken = say_time(self._seconds)
        done = "Trained in" if self.curve.points else "Done in"
        self._say(f"{done} {taken}" if whole else f"Stopped after {taken}")

    def _say(self, phase: str) -> None:
        self._phase = phase
        self.phase.setText(self._held or phase)


def times(report: Progress) -> list[str]:
    """Say epoch, time left and speed."""
    said = []
    if report.epochs > 0:
        epoch = rounded(min(report.epoch, report.epochs))
        said.append(f"epoch {epoch} of {rounded(report.epochs)}")
    if report.seconds_left == report.seconds_left:
        said.append(f"{say_time(report.seconds_left)} left")
    elif report.fraction < _EARLY:
        said.append("estimating the time left")
    if report.views_per_second > 0:
        said.append(f"{report.views_per_second:,.0f} views/s")
    return said
