from napari_patchmap.runs.config import METHODS, RunConfig, TrainConfig

__all__ = ["METHODS", "RunConfig", "TrainConfig"]
