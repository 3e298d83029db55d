"""The run folder: settings, weights, map, features, quality; placing new images."""

from napari_patchmap.lock import alone_in
from napari_patchmap.lock import is_taken as is_being_trained
from napari_patchmap.methods.train_config import TrainConfig
from napari_patchmap.runs.checkpoint import check_same_settings, is_unfinished
from napari_patchmap.runs.gathering import say_missing, without_images
from napari_patchmap.runs.placing import Placed
from napari_patchmap.runs.reopening import OpenLayer, reopen_patches
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.runs.run_folder import check_free
from napari_patchmap.runs.run_places import new_run_folder, runs_home
from napari_patchmap.runs.saved_map import SavedMap, caption_of, find_maps, maps_in, read_map
from napari_patchmap.runs.table import embedding_table, save_embedding_csv
from napari_patchmap.runs.unfinished import (
    Unfinished,
    discard_unfinished,
    find_unfinished,
    read_unfinished,
)
from napari_patchmap.runs.unreadable import UNREADABLE, save_skipped

__all__ = [
    "UNREADABLE",
    "OpenLayer",
    "Placed",
    "Run",
    "RunConfig",
    "SavedMap",
    "TrainConfig",
    "Unfinished",
    "alone_in",
    "caption_of",
    "check_free",
    "check_same_settings",
    "discard_unfinished",
    "embedding_table",
    "find_maps",
    "find_unfinished",
    "is_being_trained",
    "is_unfinished",
    "maps_in",
    "new_run_folder",
    "read_map",
    "read_unfinished",
    "reopen_patches",
    "runs_home",
    "save_embedding_csv",
    "save_skipped",
    "say_missing",
    "without_images",
]
