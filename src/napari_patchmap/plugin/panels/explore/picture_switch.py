"""The switch that lets pictures stand for the points of the map."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox

from napari_patchmap.plugin.actions import with_key
from napari_patchmap.plugin.map.close_up import CloseUp
from napari_patchmap.plugin.qt.subscribe import subscribe


class PictureSwitch(QCheckBox):
    """Switches pictures on the map on and off; so does its key."""

    def __init__(self, close_up: CloseUp) -> None:
        super().__init__("Pictures on the map")
        self.setToolTip(
            with_key(
                "pictures",
                "From afar, too, show patches as pictures: as many as have room beside each "
                "other, each standing for the points around it. Zoom in and more join them. "
                "Close up all patches are pictures anyway.",
            )
        )
        self.setChecked(close_up.from_afar)
        self.toggled.connect(close_up.set_from_afar)
        subscribe(self, close_up.switched, self._follow)

    def _follow(self, on: bool) -> None:
        self.setChecked(on)
