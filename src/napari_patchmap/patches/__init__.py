"""Where patches come from: folders, stacks and arrays, all as one PatchSet."""

from napari_patchmap.patches.intensity import Intensity
from napari_patchmap.patches.patchset import PatchSet, Skipped

__all__ = ["Intensity", "PatchSet", "Skipped"]
