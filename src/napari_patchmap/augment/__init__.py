"""Batched views on the training device: geometry, colour and presets."""

from napari_patchmap import llvm, mkl  # noqa: F401 - before any computing
from napari_patchmap.augment.augment_config import JITTERS, PRESETS, AugmentConfig
from napari_patchmap.augment.views import ViewMaker, notes, preview_views

__all__ = ["JITTERS", "PRESETS", "AugmentConfig", "ViewMaker", "notes", "preview_views"]
