"""What the network looks at, on every picture of a patch, while that is wanted."""

from __future__ import annotations

from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.qt.thumbnails import Lens
from napari_patchmap.runs.what_it_sees import WhatItSees


class Seeing:
    """Lays what the network of the run looks at over the pictures of its patches.

    It is found in the background, of what is in view; something quiet stands for it until
    then. Another run, or other patches, end it.
    """

    def __init__(self, owner: ShownMap) -> None:
        self._owner = owner
        #: Whether pictures show what the network looks at.
        self.on = False
        owner.workspace.run_changed.connect(self._on_run)

    @property
    def why_not(self) -> str:
        """Why it cannot be shown now, "" if it can."""
        workspace = self._owner.workspace
        if workspace.training:
            return "The network is learning; wait until it has ended."
        if workspace.run is None or workspace.patches is None:
            return "There is no network yet; train a map or open a run first."
        if not workspace.run.sees_images:
            return "The map was made of features of your own; no network looked at images."
        return ""

    def toggle(self) -> None:
        """Show it, or the patches as they are again."""
        self.on = not self.on and not self.why_not
        self._owner.thumbnails.set_lens(self.lens())

    def lens(self) -> Lens | None:
        """Return what makes pictures of patches now, for one thread; None as they are."""
        workspace = self._owner.workspace
        run, patches = workspace.run, workspace.patches
        if not self.on or run is None or patches is None:
            return None
        return WhatItSees(run, patches).picture

    def forget(self) -> None:
        """Note that the pictures are of other patches now, as they are."""
        self.on = False

    def _on_run(self, _: object) -> None:
        if self.on:
            self.toggle()
