"""The "Load patches" panel: from files, layers or a saved run to patches one can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari.viewer
from qtpy.QtWidgets import QFrame, QProgressBar, QVBoxLayout, QWidget

from napari_patchmap.errors import MixedSizesError, UnclearAxesError
from napari_patchmap.plugin.layers import MapLayer
from napari_patchmap.plugin.opening import Opened, Request, open_request
from napari_patchmap.plugin.widgets.panel import WorkPanel, label
from napari_patchmap.plugin.widgets.parts import Message, button, row
from napari_patchmap.plugin.widgets.source_form import SourceForm
from napari_patchmap.plugin.widgets.summary import Summary
from napari_patchmap.plugin.worker import Task

#: How images of different sizes can be brought to one, for the tooltips.
SIZES = {
    "resize": "Shrink or enlarge every image to the most frequent size; nothing is cut.",
    "crop": "Cut out the middle at the most frequent size; the scale stays true.",
    "pad": "Put smaller images on their mean border colour; larger ones are shrunk to fit.",
}


class LoadPatches(WorkPanel):
    """Loads patches in the background and shows what they are."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        MapLayer.of(self.viewer)
        self._task: Task | None = None
        self._request: Request | None = None
        self.source = SourceForm(self.viewer)
        self.drop = _DropHint(self.source)
        self.message = Message()
        self.size_choice = QWidget()
        self.size_choice.setProperty("role", "answer")
        self.size_buttons = {key: button(key.capitalize(), "", SIZES[key]) for key in SIZES}
        choice = row(*self.size_buttons.values(), 1)
        self.size_choice.setLayout(choice)
        self.message.below.addWidget(self.size_choice)
        self.progress = QProgressBar()
        self.progress.setTextVisible(True)
        self.progress.hide()
        self.summary = Summary()
        self.column.addWidget(self.drop)
        self.column.addWidget(self.message)
        self.column.addWidget(self.progress)
        self.column.addWidget(self.summary)
        self.column.addStretch(1)
        self.button = button(
            "Load patches", "primary", "Read the images; nothing is changed yet."
        )
        self.footer.addWidget(self.button)
        self.next = self.lead_to("augment", "Next: choose augmentations")

        self.size_choice.hide()
        self.button.clicked.connect(self._on_button)
        self.source.changed.connect(self._forget_trouble)
        for key, choose in self.size_buttons.items():
            choose.clicked.connect(lambda _=False, key=key: self.load(key))
        self.setAcceptDrops(True)
        self.listen(self.workspace.patches_changed, self._on_patches)
        self._on_patches(self.workspace.patches)
        self.guard_wheel()

    # -- loading -------------------------------------------------------------------

    @property
    def loading(self) -> bool:
        """Whether images are being read."""
        return self._task is not None

    def load(self, sizes: str | None = None) -> None:
        """Read what the fields ask for; ``sizes`` says how to bring sizes together."""
        if self.loading:
            return
        if self.workspace.training:
            self._say_error("A map is being trained; cancel it or wait before loading others.")
            return
        request = self.source.request(sizes)
        if request.kind == "layer" and request.array is None:
            self._say_error("No stack of images is open; open one, or choose another source.")
            return
        self._request = request
        self._task = self.run(
            lambda task: open_request(
                request, task.should_stop, lambda done, total: task.report((done, total))
            ),
            "Loading patches",
        )
        self._task.reported.connect(self._on_progress)
        self._task.done.connect(self._on_done)
        self._task.failed.connect(self._on_failed)
        self._task.ended.connect(self._on_end)
        self._say("")
        self.progress.setRange(0, 0)
        self.progress.setFormat("reading…")
        self.progress.show()
        self.button.setText("Cancel")
        self.button.setEnabled(True)
        self.source.setEnabled(False)
        self._task.start()

    def _on_button(self) -> None:
        if self._task is None:
            self.load()
        else:
            self._task.stop()
            self.button.setText("Cancelling…")
            self.button.setEnabled(False)

    def _on_progress(self, reports: list[tuple[int, int]]) -> None:
        done, total = reports[-1]
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(f"{done:,} of {total:,} images")

    def _on_done(self, opened: Opened) -> None:
        if self.workspace.training:
            self._say_error("A map is being trained; cancel it or wait before loading others.")
            return
        self.workspace.set_patches(opened.patches)
        if opened.run is not None:
            self.workspace.set_run(opened.run)
        self._say(opened.sentence, "note")

    def _on_failed(self, sentence: str) -> None:
        assert self._task is not None
        error = self._task.error
        if not isinstance(error, MixedSizesError | UnclearAxesError):
            self._say_error(sentence)
            return
        self._say(sentence, "note")  # a question rather than an error
        self.size_choice.setVisible(isinstance(error, MixedSizesError))
        if isinstance(error, UnclearAxesError):
            self.source.ask_axes()

    def _on_end(self) -> None:
        self._task = None
        self.progress.hide()
        self.source.setEnabled(True)
        self.button.setText("Load patches")
        self.button.setEnabled(True)

    # -- what is said --------------------------------------------------------------

    def _say(self, sentence: str, level: str = "info") -> None:
        self.size_choice.hide()
        self.message.say(sentence, level)

    def _say_error(self, sentence: str) -> None:
        self._say(sentence, "error")

    def _forget_trouble(self) -> None:
        if not self.loading:
            self._say("")

    def _on_patches(self, patches: Any) -> None:
        self.summary.show_patches(patches)
        self.next.setVisible(patches is not None)

    # -- drag and drop ---------------------------------------------------------------

    def dragEnterEvent(self, event: Any) -> None:
        """Take files and folders."""
        if event.mimeData().hasUrls() and not self.loading:
            self.drop.mark(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: Any) -> None:
        """Forget the drop."""
        self.drop.mark(False)

    def dropEvent(self, event: Any) -> None:
        """Load what was dropped; a table only becomes the labels."""
        self.drop.mark(False)
        paths = [
            Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()
        ]
        # Tables first, so that a folder dropped together with its labels gets them.
        paths.sort(key=lambda path: path.suffix.lower() != ".csv")
        taken = [self.source.take_dropped(path) for path in paths[:2]]
        if any(taken):
            self.load()
        event.acceptProposedAction()


class _DropHint(QFrame):
    """The fields in a frame that lights up under a dragged file."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setProperty("role", "drop")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(10, 8, 10, 8)
        rows.addWidget(inside)
        rows.addWidget(label("or drop a folder or file here", "hint"))

    def mark(self, over: bool) -> None:
        """Show whether something is held over the frame."""
        self.setProperty("over", "true" if over else "false")
        self.style().unpolish(self)
        self.style().polish(self)
