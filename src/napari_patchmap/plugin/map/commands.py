"""What people do to the map by a key or a button, whichever panels are open."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_patchmap.explore.selection import NOTHING
from napari_patchmap.plugin.actions import ACTIONS
from napari_patchmap.plugin.map.hidden_groups import HiddenGroups
from napari_patchmap.plugin.map.shown_map import ShownMap


class MapCommands:
    """Selecting, hiding and moving about; each returns False where it cannot be done.

    Parameters
    ----------
    owner : ShownMap
    hidden : HiddenGroups
    show_map : callable
        Shows the map as it was left.
    show_patches : callable
        Moves the camera to some patches.
    """

    def __init__(
        self,
        owner: ShownMap,
        hidden: HiddenGroups,
        show_map: Callable[[], None],
        show_patches: Callable[[np.ndarray], None],
    ) -> None:
        self._owner, self._hand, self._workspace = owner, owner.hand, owner.workspace
        self._hidden = hidden
        self._show_map, self._show_patches = show_map, show_patches

    def switch_view(self) -> bool:
        """Show the images where the map is shown, and the map where they are."""
        if self._workspace.embedding is None:
            return False
        if self._owner.views.now == "source":
            self._show_map()
        elif self._owner.views.sources:
            self._owner.views.show("source")
        else:
            self._workspace.say("The images of these patches are not open in napari.")
        return True

    def toggle_lasso(self) -> None:
        """Take up or put down the lasso."""
        self._hand.set_lasso(not self._hand.lasso)

    def toggle_take_away(self) -> None:
        """Let the lasso take away, or select."""
        self._hand.set_take_away(not self._hand.take_away)

    def select_all(self) -> None:
        """Select all patches whose points are shown."""
        self._workspace.select(self._visible())

    def invert(self) -> bool:
        """Select those that are not selected, of what is shown."""
        self._workspace.select(np.setdiff1d(self._visible(), self._workspace.selection))
        return self._workspace.patches is not None

    def zoom(self) -> bool:
        """Move the map to the selected patches."""
        self._show_patches(self._workspace.selection)
        return len(self._workspace.selection) > 0

    def hide(self) -> bool:
        """Hide the selected patches, on all maps that are shown."""
        chosen = self._workspace.selection
        if not len(chosen):
            return False
        self._workspace.select(NOTHING)
        self._hidden.hide_patches(chosen)
        hidden = "1 patch is" if len(chosen) == 1 else f"{len(chosen):,} patches are"
        self._workspace.say(f"{hidden} hidden; {ACTIONS['unhide'].shown} shows all again.")
        return True

    def _visible(self) -> np.ndarray:
        patches = self._workspace.patches
        return self._owner.visible(np.arange(0 if patches is None else len(patches)))
