"""Training a map in stages, with progress, time left and a clean stop."""

from napari_patchmap.training.planning import describe_plan, make_plan
from napari_patchmap.training.progress import Progress, say_left, say_time
from napari_patchmap.training.trainer import fit, save_run

__all__ = ["Progress", "describe_plan", "fit", "make_plan", "save_run", "say_left", "say_time"]
