"""Offers to go on with a training that was interrupted."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_patchmap.explore.words import say_day
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.basics import button, column, row
from napari_patchmap.plugin.qt.texts import Message
from napari_patchmap.runs import (
    Unfinished,
    discard_unfinished,
    find_unfinished,
    is_being_trained,
    is_unfinished,
    read_unfinished,
)
from napari_patchmap.training.progress import say_time


class UnfinishedOffer(QWidget):
    """Looks for interrupted trainings of some patches and offers the newest.

    Signals
    -------
    resumed(Unfinished)
        The person wants to go on with it.
    refused(str)
        Why it could not be discarded.
    """

    resumed = Signal(object)
    refused = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.offered: Unfinished | None = None
        self._message = Message()
        self.resume = button(
            "Resume",
            "",
            "<qt>Go on from its last checkpoint, with the settings it was started with.</qt>",
        )
        self.discard = button("Discard", "", "<qt>Forget it; you are asked once more.</qt>")
        self.really = button("Discard it", "", "<qt>This cannot be undone.</qt>")
        self.keep = button("Keep it", "", "<qt>Leave it as it is.</qt>")
        self._choice, self._question = QWidget(), QWidget()
        self._choice.setLayout(row(self.resume, self.discard, 1))
        self._question.setLayout(row(self.keep, self.really, 1))
        for answer in (self._choice, self._question):
            answer.setProperty("role", "answer")
            self._message.below.addWidget(answer)
        column(self, self._message)
        self._finder = Newest(
            self, "Looking for interrupted trainings", self._show, self._on_failed
        )
        self.resume.clicked.connect(self._on_resume)
        self.discard.clicked.connect(self._ask)
        self.keep.clicked.connect(lambda: self._show(self.offered))
        self.really.clicked.connect(self._on_really)
        self._patches: PatchSet | None = None
        self._opened: object = None
        self._show(None)

    @property
    def text(self) -> str:
        """What is offered, "" when nothing is."""
        return self._message.text

    def look(self, patches: PatchSet | None, opened: object = None) -> None:
        """Look in the background for interrupted trainings of these patches."""
        self._patches, self._opened = patches, opened
        self._show(None)
        if patches is None:
            self._finder.forget()
        else:
            self._finder.ask(lambda watch: _newest(patches, opened, watch))

    def withdraw(self) -> None:
        """Offer nothing for now."""
        self._finder.forget()
        self._show(None)

    def _show(self, found: Unfinished | None) -> None:
        self.offered = found
        self._choice.show()
        self._question.hide()
        sentence = "" if found is None else say_unfinished(found)
        self._message.say(sentence, "note")
        self._message.setToolTip("" if found is None else str(found.folder))
        self.setVisible(found is not None)

    def _ask(self) -> None:
        assert self.offered is not None
        stays = "its map stays" if self.offered.has_map else "it has no map yet"
        self._message.say(
            f"Discard {say_time(self.offered.seconds)} of training for good? It cannot be "
            f"resumed then; {stays}.",
            "note",
        )
        self._choice.hide()
        self._question.show()

    def _on_resume(self) -> None:
        if self.offered is not None:
            self.resumed.emit(self.offered)

    def _on_really(self) -> None:
        found, patches, opened = self.offered, self._patches, self._opened
        self._show(None)
        if found is None or patches is None:
            return

        def work(watch: Watch) -> Unfinished | None:
            discard_unfinished(found)
            return _newest(patches, opened, watch)

        self._finder.ask(work)

    def _on_failed(self, sentence: str) -> None:
        self._show(None)
        self.refused.emit(sentence)


def _newest(patches: PatchSet, opened: object, watch: Watch) -> Unfinished | None:
    """Return the interrupted training to offer, None if there is none."""
    if opened is not None and is_unfinished(str(opened)):
        found = [read_unfinished(str(opened))]
    else:
        found = find_unfinished(patches, watch)
    return next((one for one in found if not is_being_trained(one.folder)), None)


def say_unfinished(run: Unfinished) -> str:
    """Say which training was interrupted, when, and how far it came."""
    return (
        f"Unfinished training of {run.name} from {say_day(run.written)} "
        f"(stage {min(run.stage, run.stages)} of {run.stages}, {say_time(run.seconds)})"
    )
