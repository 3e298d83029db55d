"""Patches, and what two people say they are."""

from __future__ import annotations

import numpy as np

from napari_patchmap.explore.annotation import Annotation
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.patchset import PatchSet


def some(count=6):
    """Patches 1 and 4 are blasts; another person calls 4 odd, the class rare is empty."""
    one = Annotation("annotation", np.full(count, -1, np.int16)).with_class('blast, 1"')
    one = one.with_class("rare", "#010203", "7").give(np.array([1, 4]), 0)
    two = Annotation("Zoë", np.full(count, -1, np.int16)).with_class("NA")
    return Annotations(count).put(one).put(two.give(np.array([4]), 0))


def patches(names, folder="/data/cells"):
    images = np.arange(len(names), dtype=np.uint8)[:, None, None, None] + np.zeros(
        (1, 4, 4, 1), np.uint8
    )
    table = box_table(list(names), np.zeros(len(names), int), np.tile([4, 4], (len(names), 1)))
    return PatchSet(images, table, ("grey",), name="cells", origin={"path": folder})
