"""Where patches come from: folders, stacks and arrays, all as one PatchSet."""

import napari_patchmap.text_storage  # noqa: F401 - before there is any table
from napari_patchmap.kind import Kind
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.intensity import Intensity
from napari_patchmap.patches.open import open_patches, reopen
from napari_patchmap.patches.patchset import PatchSet, Skipped
from napari_patchmap.patches.readers.arrays import from_array
from napari_patchmap.patches.readers.objects.crops import from_objects
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.sample import bundled_cells
from napari_patchmap.patches.summary import describe, headline
from napari_patchmap.patches.watch import LoadCancelled, Watch

__all__ = [
    "CropConfig",
    "Intensity",
    "Kind",
    "LoadCancelled",
    "OpenRequest",
    "PatchSet",
    "Skipped",
    "Watch",
    "bundled_cells",
    "describe",
    "from_array",
    "from_objects",
    "headline",
    "open_patches",
    "reopen",
]
