"""The patches that were loaded, with the channels that are chosen of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.panels.load.opening import keep_channels
from napari_patchmap.plugin.workspace import Workspace

_TRAINING = "A map is being trained; cancel it or wait before changing this."


class Chosen(QObject, Quiet):
    """Hands patches to everybody, and takes them again when other parts are chosen.

    Signals
    -------
    failed(str)
        Why something else cannot be chosen.
    """

    failed = Signal(str)

    def __init__(self, parent: QObject, workspace: Workspace) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._whole: PatchSet | None = None
        self._newest = Newest(self, "Choosing channels", self.take, self.failed)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels one may choose among, none where there is no choice."""
        return () if self._whole is None else self._whole.channel_names

    def take(self, patches: PatchSet, whole: PatchSet | None = None) -> None:
        """Hand patches to everybody; ``whole`` has the channels one may choose among."""
        if whole is not None:
            choice = whole.channels > 1 and not whole.is_rgb
            self._whole = whole if choice else None
        with self.quiet():
            self._workspace.set_patches(patches)

    def on_patches(self, _: Any = None) -> None:
        """Offer no choice of patches that came from elsewhere."""
        if not self.busy:
            self._whole = None

    def keep_channels(self, names: list[str]) -> None:
        """Take the patches again with some of their channels."""
        whole = self._whole
        if whole is None:
            return
        if self._workspace.training:
            self.failed.emit(_TRAINING)
            return
        self._newest.ask(lambda _: keep_channels(whole, names))

    def follow_label(self) -> None:
        """Give the patches with all their channels the label that was chosen."""
        whole, patches = self._whole, self._workspace.patches
        if whole is not None and patches is not None:
            origin = {**patches.origin, "channels": whole.origin.get("channels")}
            self._whole = replace(
                whole, table=patches.table, label_from=patches.label_from, origin=origin
            )
