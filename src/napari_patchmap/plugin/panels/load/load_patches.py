"""The "Load patches" panel: from files, layers or a saved run to patches one can see."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal

import napari.viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QScrollArea

from napari_patchmap.errors import UnclearAxesError
from napari_patchmap.patches import Kind, OpenRequest, PatchSet
from napari_patchmap.patches.field_of_view import ways_to_cut
from napari_patchmap.patches.fit import Fit
from napari_patchmap.plugin.canvas.first_steps import FirstSteps
from napari_patchmap.plugin.panels.load.answers import Answers
from napari_patchmap.plugin.panels.load.cache_line import CacheLine
from napari_patchmap.plugin.panels.load.chosen import Chosen
from napari_patchmap.plugin.panels.load.features_of_new import FeaturesOfNew
from napari_patchmap.plugin.panels.load.loaded import Summary
from napari_patchmap.plugin.panels.load.offer import Offer, Proposal
from napari_patchmap.plugin.panels.load.opening import (
    Request,
    open_request,
    place_request,
)
from napari_patchmap.plugin.panels.load.outcome import TRAINING, Outcome
from napari_patchmap.plugin.panels.load.source_form import SourceForm
from napari_patchmap.plugin.panels.locate import LocateImages
from napari_patchmap.plugin.qt.basics import button, row, set_look
from napari_patchmap.plugin.qt.dropped import dropped_paths
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.qt.texts import Message
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.runs import Run

_LOADING = "Patches are being loaded; wait, or cancel that first."

#: When the column has taken up what was loaded, in milliseconds.
_SETTLED = 200


class LoadPatches(WorkPanel):
    """Loads patches in the background and shows what they are."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._placing = False
        #: What comes once it is known what the path is: load it, show the tiles of a slide.
        self._then: Literal["", "load", "tiles"] = ""
        self._chosen = Chosen(self, self.workspace)
        self._outcome = Outcome(self, self.viewer, self._chosen)
        self._asked: tuple[Request, Run | None]
        # Whether what the fields name is what is loaded.
        self._fresh = False
        self.offer = Offer()
        self.source = SourceForm(self.viewer)
        self.message = Message()
        self.answers = Answers()
        self.message.below.addWidget(self.answers)
        self.progress = WorkBar()
        self.locate = LocateImages(self.viewer)
        self.summary = Summary(self.viewer)
        self.refusal = Message()
        self.column.addWidget(self.offer)
        self.column.addWidget(self.source)
        self.column.addWidget(self.locate)
        self.column.addWidget(self.summary)
        self.column.addStretch(1)
        self.cache = CacheLine()
        self.column.addWidget(self.cache)
        self.button = button(
            "Load patches", "primary", "Read the images; nothing is changed yet."
        )
        # In view however far the settings are scrolled.
        self.features = FeaturesOfNew()
        for part in (self.message, self.progress, self.refusal, self.features):
            self.footer.addWidget(part)
        self.place_button = button(
            "Place on the map",
            "",
            "Put these images on the map that is open, without training; the map stays as it "
            "is, and you are told if they look unlike its own.",
        )
        buttons = row(self.button)
        buttons.setStretch(0, 1)
        buttons.addWidget(self.place_button, 1)
        self.footer.addLayout(buttons)
        self.next = self.lead_to("train", "Train a map", "primary")
        self.augment = self.lead_to("augment", "Choose augmentations first")

        self._settled_soon = QTimer(
            self, singleShot=True, interval=_SETTLED, timeout=self._look_at_summary
        )
        self._chosen.failed.connect(self._say_error)
        self._outcome.said.connect(self._say)
        self.summary.channels.wanted.connect(self._keep_channels)
        self.source.recognised.connect(self._on_recognised)
        self.source.refused.connect(self._on_refused)
        self.source.recent.chosen.connect(self._on_recent)
        self.progress.done.connect(self._on_done)
        self.progress.failed.connect(self._on_failed)
        self.progress.ended.connect(self._on_end)
        self.answers.sizes_chosen.connect(self.load)
        self.answers.axes_chosen.connect(self._choose_axes)
        self.answers.key_chosen.connect(self._choose_key)
        self.answers.cut_chosen.connect(self._choose_cut)
        self.button.clicked.connect(self._on_button)
        self.keyboard.bind(self.button, "load")
        self.place_button.clicked.connect(self.place)
        self.source.changed.connect(self._on_other_source)
        self.source.layers.listed.connect(self._look_at_layers)
        self.offer.proposed.connect(self._on_proposed)
        self.offer.taken.connect(self._on_taken)
        self.setAcceptDrops(True)
        steps = FirstSteps.of(self.viewer)
        steps.wanted.connect(self._try_sample)
        steps.dropped.connect(self.dropEvent)
        self.destroyed.connect(steps.look_again)
        self.listen(self.workspace.patches_changed, self._on_patches)
        self.listen(self.workspace.run_changed, self._on_run)
        self.listen(self.workspace.label_changed, self._on_label)
        self._on_patches(self.workspace.patches)
        self._on_run(self.workspace.run)
        self.guard_wheel()

    # -- loading -------------------------------------------------------------------

    @property
    def loading(self) -> bool:
        """Whether images are being read."""
        return self.progress.running

    def load(self, sizes: Fit | None = None) -> None:
        """Read what the fields ask for; ``sizes`` says how to bring sizes together.

        While it is still being found out what the path is, loading waits for that.
        """
        if self.loading:
            return
        if self.source.path.recognising:
            self._then = "load"
            self.source.path.recognise_now()
            return
        if not self.source.commit():
            return
        if self.workspace.training:
            self._say_error(TRAINING)
            return
        missing = self.source.missing()
        if missing:
            self._say_error(missing)
            return
        request = self.source.request(sizes)
        run = self.workspace.run if self._placing else None
        if run is not None and request.kind is Kind.RUN:
            self._say_error("A saved run has a map of its own; choose images to place.")
            return
        self._say("")
        self.source.setEnabled(False)
        self._asked = request, run
        if run is None:
            self.progress.start("Loading patches", partial(open_request, request))
        else:
            given = self.features.take()
            self.progress.start("Placing patches", partial(place_request, request, run, *given))
        self._show_state()

    def place(self) -> None:
        """Read what the fields ask for and put it on the map that is open."""
        if not self.loading and self.workspace.run is not None:
            self._placing = True
            self.load()

    def open_path(self, path: Path) -> None:
        """Fill in a file or folder; load it, but of a slide show the tiles first."""
        if self.loading:
            self.workspace.say(_LOADING)
            return
        self._placing = False
        self._then = "tiles" if self.source.take_dropped(path) else ""
        self._say("")

    def _on_recent(self, request: Request) -> None:
        """Open a run that was chosen among what was open last: there is nothing to set."""
        if request.kind is Kind.RUN and not self.loading:
            self._placing = False
            self.load()

    def _on_button(self) -> None:
        if self.loading:
            self.cancel()
        else:
            self._placing = False
            self.load()

    def cancel(self) -> None:
        """Stop loading; at once for the person, even where a disk is slow to answer."""
        if self.loading:
            self.progress.cancel()
            self._say("Loading was cancelled; nothing was changed.", "note")

    # -- what is offered ---------------------------------------------------------

    def _look_at_layers(self) -> None:
        """See whether something is open that could be loaded by one click."""
        self._forget_trouble()
        patches = self.workspace.patches
        origin = {} if patches is None else patches.origin
        used = (str(origin.get("layer", "")), str(origin.get("labels_layer", "")))
        self.offer.look(list(self.viewer.layers), used, empty=patches is None)

    def _on_proposed(self, proposal: Proposal | None) -> None:
        """Fill in what is open here, unless something else was chosen."""
        if self.source.untouched and self.workspace.patches is None and not self.loading:
            if proposal is None or proposal.kind is Kind.SAMPLE:
                self.source.choose(Kind.FOLDER)
            else:
                self.source.choose(proposal.kind, proposal.image, proposal.objects)
        self._show_state()

    def _on_taken(self, proposal: Proposal) -> None:
        if not self.loading:
            self._placing = False
            self.source.choose(proposal.kind, proposal.image, proposal.objects)
            self.load()

    def _try_sample(self) -> None:
        self._on_taken(Proposal(Kind.SAMPLE))

    def enterEvent(self, event: Any) -> None:
        """See whether something was painted into an empty Labels layer."""
        super().enterEvent(event)
        if self.offer.waits_for_objects:
            self._look_at_layers()

    def _on_other_source(self) -> None:
        self._fresh = False
        self._forget_trouble()
        self._show_state()

    # -- what comes of it ----------------------------------------------------------

    def _on_done(self, found: Any) -> None:
        request, run = self._asked
        if run is not None:
            patches, placed = found
            self._placing = not self._outcome.place(patches, placed, run)
        elif self._outcome.open(found):
            self._settled_soon.start()
            if found.run is None:
                self.source.recent.remember(request)
                self._offer_cuts(found.patches)
            self.cache.refresh()

    def _offer_cuts(self, patches: PatchSet) -> None:
        """Offer to cut up images that are rather fields of view than patches."""
        ways = ways_to_cut(patches)
        if ways:  # the summary says why
            self._say("Are these fields of view? Patches can be cut out of them.", "note")
            self.answers.offer_cuts(ways)

    def _on_run(self, run: Run | None) -> None:
        self.place_button.setVisible(run is not None)
        self._show_state()
        if run is not None and run.folder is not None:
            self.source.recent.remember(Request(Kind.RUN, OpenRequest(path=str(run.folder))))

    def _look_at_summary(self) -> None:
        """Scroll to what was loaded, if most of it is below."""
        area = self.findChild(QScrollArea)
        below = self.summary.y() > area.viewport().height() / 2
        if below and not self.message.text:
            area.verticalScrollBar().setValue(self.summary.y() - self.column.spacing())

    def _keep_channels(self, names: list[str]) -> None:
        if not self.loading:
            self._chosen.keep_channels(names)

    def _on_label(self) -> None:
        self._chosen.follow_label()
        self.summary.show_patches(self.workspace.patches, self._chosen.channels)

    def _on_failed(self, sentence: str, error: Exception | None) -> None:
        self._say(sentence, "error")
        if self.answers.ask(error):
            self.message.say(sentence, "note")  # a question rather than an error
        if isinstance(error, UnclearAxesError):
            self.source.ask_axes()

    def _choose_key(self, key: str) -> None:
        self.source.key.setText(key)
        self.load()

    def _choose_cut(self, way: str) -> None:
        if way == "tiles":
            self.source.choose(Kind.SLIDES, self.source.path.path)
            self.load()
        elif self.source.choose_objects():
            self.load()

    def _choose_axes(self, axes: str) -> None:
        self.source.axes.setCurrentText(axes)
        self.load()

    def _on_recognised(self, kind: str) -> None:
        then, self._then = self._then, ""
        if then == "load" or (then == "tiles" and kind != Kind.SLIDES):
            self.load()

    def _on_refused(self, sentence: str) -> None:
        self.refusal.say(sentence, "error")
        self._show_state()

    def _show_state(self) -> None:
        """Nothing is loaded by other settings than those that are shown."""
        able = not self.source.trouble
        self.button.setEnabled(self.loading or able)
        self.place_button.setEnabled(not self.loading and able)
        self.features.show_for(self.workspace.run, self.source.source)
        self.features.setEnabled(not self.loading)
        self.button.setText("Cancel" if self.loading else "Load patches")
        self.offer.setEnabled(not self.loading)
        # One coloured button, on what comes next.
        there = self.workspace.patches is not None
        leads = there and (self._fresh or not self.source.filled)
        offers = not there and self.offer.proposal is not None and self.source.untouched
        loads = not self.loading and not leads and not offers
        set_look(self.button, "role", "primary" if loads else "")
        self.offer.set_primary(offers and not self.loading)
        self.next.setVisible(there and not self.loading)
        self.augment.setVisible(there and not self.loading)
        set_look(self.next, "role", "primary" if leads else "")

    def _on_end(self) -> None:
        self.source.setEnabled(True)
        self._show_state()

    # -- what is said --------------------------------------------------------------

    def _say(self, sentence: str, level: str = "info") -> None:
        self.answers.hide()
        self.message.say(sentence, level)

    def _say_error(self, sentence: str) -> None:
        self._say(sentence, "error")

    def _forget_trouble(self) -> None:
        if not self.loading:
            self._say("")

    def _on_patches(self, patches: Any) -> None:
        self._chosen.on_patches()
        self.summary.show_patches(patches, self._chosen.channels)
        self._fresh = patches is not None
        self._look_at_layers()
        self._show_state()

    # -- drag and drop ---------------------------------------------------------------

    def dragEnterEvent(self, event: Any) -> None:
        """Take files and folders."""
        if event.mimeData().hasUrls() and not self.loading:
            self.source.mark(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: Any) -> None:
        """Forget the drop."""
        self.source.mark(False)

    def dropEvent(self, event: Any) -> None:
        """Load what was dropped; a table only becomes the labels."""
        self.source.mark(False)
        # Tables first, so that a folder dropped together with its labels gets them.
        paths = sorted(dropped_paths(event), key=lambda path: path.suffix.lower() != ".csv")
        taken = [self.source.take_dropped(path) for path in paths[:2]]
        event.acceptProposedAction()
        if any(taken):
            self._then, self._placing = "load", False
            self._say("")
