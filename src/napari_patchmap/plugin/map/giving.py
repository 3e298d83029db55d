"""Giving classes to what a person means: by keys wherever patches are seen, or by buttons."""

from __future__ import annotations

import numpy as np

from napari_patchmap.errors import AnnotationError
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.map.shown_map import ShownMap


class Giving:
    """Gives what is meant a class; where one patch is asked after another, goes on."""

    def __init__(self, owner: ShownMap) -> None:
        self._owner, self._workspace = owner, owner.workspace
        self._hooks = GalleryHooks.of(owner.viewer)

    def by_key(self, key: str) -> None:
        """Give what is meant the class of a key, "1" to "9"; "0" takes its class away."""
        workspace, at = self._workspace, self._workspace.annotations.now.at_key(key)
        if workspace.patches is None:
            return
        if at < 0 and key != "0":
            workspace.say(f"No class has the key {key} yet; make one in the tab Annotate.")
        elif not len(self._owner.meant):
            workspace.say("Select patches first, or point at one; then press the key.")
        else:
            try:
                self.give(at)
            except AnnotationError as error:
                workspace.say(str(error))

    def take_class(self) -> None:
        """Take the class of what is meant away."""
        self.by_key("0")

    def give(self, at: int) -> None:
        """Give what is meant a class, or none with -1; errors as ``Workspace.annotate``."""
        rows = self._owner.meant
        self._workspace.annotate(rows, at)
        self.answered(rows)

    def answered(self, rows: np.ndarray) -> None:
        """Say that these were answered; where one is asked after another, go on."""
        if rows.tolist() == [self._workspace.current]:
            self._hooks.answered(self._workspace.current)
