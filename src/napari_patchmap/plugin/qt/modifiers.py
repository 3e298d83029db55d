"""What the modifier keys say about a click that selects."""

from __future__ import annotations

from qtpy.QtCore import Qt

from napari_patchmap.explore.selection import How


def how_meant(modifiers: Qt.KeyboardModifier) -> How:
    """Return how a click changes the selection: Alt takes away, Shift adds."""
    if modifiers & Qt.KeyboardModifier.AltModifier:
        return "subtract"
    return "add" if modifiers & Qt.KeyboardModifier.ShiftModifier else "replace"
