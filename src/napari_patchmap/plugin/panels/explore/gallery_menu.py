"""The menu of a patch in the gallery."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from qtpy.QtWidgets import QMenu, QWidget

from napari_patchmap.plugin.map.map_layer import MapLayer


def show_on_map(owner: MapLayer, index: int) -> None:
    """Zoom the map to a patch."""
    owner.workspace.set_current(index)
    owner.show_map()
    owner.show_patches(np.array([index]))


def patch_menu(
    parent: QWidget, owner: MapLayer, index: int,
    copy: Callable[[], None], nearest: Callable[[int], None],
) -> QMenu:  # fmt: skip
    """Make the menu of a patch.

    Parameters
    ----------
    parent : QWidget
    owner : MapLayer
    index : int
        The patch.
    copy : callable
        Copies the file name of the patch.
    nearest : callable
        Sorts by the distance to it.
    """
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    colouring, has_map = owner.colouring, owner.workspace.embedding is not None

    def add(text: str, act: Callable[[], None], there: bool, tip: str) -> None:
        action = menu.addAction(text)
        action.triggered.connect(lambda _=False: act())
        action.setEnabled(there)
        action.setToolTip(tip)

    in_image = owner.places.of(index) is not None
    add(
        "Show in the image", lambda: owner.show_in_image(index), in_image,
        "Show it where it was cut out of." if in_image
        else "The image it was cut out of is not open in napari.",
    )  # fmt: skip
    add(
        "Show on the map", lambda: show_on_map(owner, index), has_map,
        "Zoom the map to it." if has_map else "There is no map yet.",
    )  # fmt: skip
    add(
        "Sort by distance to this", lambda: nearest(index), has_map,
        "The most similar patches come first." if has_map else "There is no map yet.",
    )  # fmt: skip
    menu.addSeparator()
    seeing = owner.seeing
    look = menu.addAction("What the network looks at")
    look.setCheckable(True)
    look.setChecked(seeing.on)
    look.triggered.connect(lambda _=False: seeing.toggle())
    look.setEnabled(seeing.on or not seeing.why_not)
    look.setToolTip(
        seeing.why_not
        or "<qt>Show on all pictures what counts for the network, the lighter the more: the "
        "attention of transformers, of other networks a map of gradients.</qt>"
    )
    if colouring is not None and colouring.names:
        group = int(colouring.codes[index])
        name = colouring.names[group].replace("&", "&&")
        name = name if len(name) <= 40 else name[:39] + "…"
        add(
            f"Select others of this class ({name})",
            lambda: owner.workspace.select(owner.visible(colouring.members(group))), True,
            f"Select all patches of one value of {colouring.column}.",
        )  # fmt: skip
    else:
        add("Select others of this class", lambda: None, False, "Colour by classes first.")
    add("Copy file name", copy, True, "Copy where it is from, as text.")
    return menu
