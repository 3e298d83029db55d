"""What the figures can be compared with: chance, pixels, features."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.viewer import Viewer
from qtpy.QtCore import Signal

from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.panels.quality.growing import GrowingAnswer
from napari_patchmap.plugin.qt.basics import button, column, row
from napari_patchmap.quality.figure import GrowingWatch

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class BaselinePanel(GrowingAnswer):
    """Computes all figures of a random map, of a map of pixels, and of the features.

    Signals
    -------
    found(object)
        See :func:`napari_patchmap.quality.baselines.measure_baselines`; empty where it is not
        known.
    """

    key = "baselines"
    found = Signal(object)  # Qt sorts a dict

    def __init__(self, viewer: Viewer) -> None:
        begin = button(
            "Compare with chance and pixels",
            "link",
            "<qt>Compute the same figures of a random map, of a map of the pixels (t-SNE, as "
            "long as the map's own), and of the features, and show them beside the numbers. In "
            "the background.</qt>",
        )
        super().__init__(viewer, begin)
        self.said.setVisible(False)
        bar = self.work.with_button("Stop; nothing is changed.")
        column(self, row(begin, 1), bar, self.said)
        self.watch_workspace()

    def take_up(self, run: Run | None, patches: PatchSet | None) -> bool:
        """Whether there is a map."""
        return run is not None and patches is not None

    def prepare(self, run: Run, patches: PatchSet) -> Callable[[GrowingWatch], object]:
        """Return what makes a map of pixels and computes the figures."""
        from napari_patchmap.training.pixel_baseline import baselines_of

        def work(look: GrowingWatch) -> None:
            def watch(done: int, total: int) -> bool:
                return look({}, done, total)

            found = baselines_of(run, patches.labels, patches, watch)
            look(found, 100, 100)

        return work

    def show_found(self, found: dict[str, Any]) -> None:
        """Tell what was found."""
        self.said.setVisible(False)
        self.found.emit(found)
