"""The two buttons of a training, start and rest, and why it cannot be started."""

from __future__ import annotations

from enum import Enum, auto

from qtpy.QtWidgets import QHBoxLayout

from napari_patchmap.plugin.actions import with_key
from napari_patchmap.plugin.qt.basics import button, row, set_look
from napari_patchmap.plugin.qt.docks import way_to
from napari_patchmap.plugin.qt.texts import Message


class Doing(Enum):
    """What the panel's training does."""

    NOTHING = auto()
    ELSEWHERE = auto()  # the training of another panel, or of other patches, ends first
    TRAINING = auto()
    CANCELLED = auto()  # the map of what was learned is being made
    LEAVING = auto()


class TrainButtons(QHBoxLayout):
    """Say what they would do now, and can be pressed when they would do it."""

    def __init__(self) -> None:
        super().__init__()
        self.start = button("Start training", "primary")
        self.pause = button("Pause")
        self.addWidget(self.pause)
        self.addWidget(self.start, 1)

    def show_state(self, doing: Doing, *, able: bool, paused: bool) -> None:
        """Show what a training does; ``able`` is whether one could be started."""
        self.start.setEnabled(
            doing in (Doing.TRAINING, Doing.CANCELLED) or (doing is Doing.NOTHING and able)
        )
        self.start.setText(
            {
                Doing.NOTHING: "Start training",
                Doing.ELSEWHERE: "Another training is ending…",
                Doing.TRAINING: "Cancel",
                Doing.CANCELLED: "Stop now, without a map",
                Doing.LEAVING: "Stopping…",
            }[doing]
        )
        if doing in (Doing.CANCELLED, Doing.LEAVING):
            does = "Do not wait for the map; the training can still be resumed."
        elif doing is Doing.NOTHING:
            does = with_key(
                "train", "Train a map in the background; you can go on working meanwhile."
            )
        else:
            does = with_key(
                "cancel",
                "Stop here and keep the map of what was learned so far; it can be resumed.",
            )
        self.start.setToolTip(f"<qt>{does}</qt>")
        set_look(self.start, "role", "primary" if doing is Doing.NOTHING else "")
        self.pause.setVisible(doing not in (Doing.NOTHING, Doing.ELSEWHERE))
        self.pause.setEnabled(doing is Doing.TRAINING)
        self.pause.setText("Go on" if paused else "Pause")
        does = "Let the computer rest; the time left stands still meanwhile."
        does = with_key("pause", "Go on training." if paused else does)
        self.pause.setToolTip(f"<qt>{does}</qt>")


class Refusal(Message):
    """The sentence of a setting that was refused; it stays until the setting is mended."""

    def __init__(self) -> None:
        super().__init__()
        self.augment = button("Go to Augmentations →", "link", way_to("augment"))
        self.check = button("Check again", "link", "Look again, say for a file.")
        self.below.addLayout(row(self.augment, self.check, 1))
        self.show_refusal("")

    def show_refusal(
        self, sentence: str, *, elsewhere: bool = False, again: bool = False
    ) -> None:
        """Show a sentence and what can be done about it; "" hides it."""
        self.augment.setVisible(elsewhere)
        self.check.setVisible(again)
        self.say(sentence, "error")
