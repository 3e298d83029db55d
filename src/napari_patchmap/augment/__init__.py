"""Batched views on the training device: geometry, colour and presets."""

from napari_patchmap.augment.config import PRESETS, AugmentConfig
from napari_patchmap.augment.views import ViewMaker, notes, preview_views

__all__ = ["PRESETS", "AugmentConfig", "ViewMaker", "notes", "preview_views"]
