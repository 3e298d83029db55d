"""Which images of a run are open in the window on it, noted and opened again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import QTimer

from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.source.highlights import Places
from napari_patchmap.plugin.source.image_opener import ImageOpener
from napari_patchmap.plugin.source.slider_link import SourceLink, read_stack


class SessionImages:
    """The images on the main canvas; a patch stands for the one that it was cut out of.

    Attributes
    ----------
    stack : bool
        Whether all patches are seen as a stack, each a plane.

    Signals
    -------
    changed()
        Other images are open.
    opened()
        Images that were asked for have been opened.
    """

    changed = Signal()
    opened = Signal()

    def __init__(
        self, shown: ShownMap, places: Places, link: SourceLink, opener: ImageOpener
    ) -> None:
        self._shown, self._places, self._link, self._opener = shown, places, link, opener
        self._reader = Newest(
            canvas_widget(shown.viewer), "Reading patches for a stack", self._on_stack
        )
        self.stack = False
        #: Patches whose images were asked for and are not open, by their number in the run,
        #: and what the table calls the images.
        self._waiting: dict[int, str] = {}
        places.refreshed.connect(self.changed.emit)
        # Not now: napari takes layers away before it closes a window, too.
        self._soon = QTimer(
            canvas_widget(shown.viewer), singleShot=True, interval=0, timeout=self._look
        )
        link.changed.connect(self._look_soon)
        opener.opened.connect(self._on_opened)

    def _look_soon(self) -> None:
        if isalive(self._soon):
            self._soon.start()

    def _look(self) -> None:
        self.stack = not self._places.found and self._link.layer is not None
        self.changed.emit()

    def open_now(self, numbers: np.ndarray) -> tuple[int, ...]:
        """Return a patch of each image that is open, or was to be opened."""
        places = self._places.found
        found = [int(numbers[one.rows[0]]) for one in places]
        here = np.concatenate([np.empty(0, np.intp), *(numbers[one.rows] for one in places)])
        rest = [one for one in self._waiting if one not in here]
        return (*found, *rest)

    def forget(self) -> None:
        """Wait for no images any more: another run is shown."""
        self._waiting = {}

    def open(self, wanted: Sequence[int], stack: bool, numbers: np.ndarray) -> None:
        """Open images again; ``numbers`` says what the run calls each patch that is here."""
        patches = self._shown.workspace.patches
        if patches is None:
            return
        rows = pd.Index(numbers).get_indexer(list(wanted))
        names = patches.table["source"].astype(str)
        self._waiting = {
            number: names.iloc[row] if row >= 0 else ""
            for number, row in zip(wanted, rows, strict=True)
        }
        self._opener.open(rows[rows >= 0].tolist())
        if stack and not len(patches.missing):
            self._reader.ask(lambda watch: (patches, read_stack(patches, watch)))

    def _on_opened(self, sources: set[str]) -> None:
        waiting = self._waiting.items()
        self._waiting = {number: name for number, name in waiting if name not in sources}
        self.opened.emit()

    def _on_stack(self, found: tuple[PatchSet, np.ndarray]) -> None:
        if not self._places.found:
            self._link.add_stack(*found, turn_to=False)
            self.opened.emit()
