"""All settings of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.methods.train_config import TrainConfig


@dataclass(frozen=True)
class RunConfig:
    """All settings of a run: training and augmentation, saved in ``config.json``."""

    train: TrainConfig = field(default_factory=TrainConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain values."""
        return {"train": self.train.to_dict(), "augment": self.augment.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild settings written by :meth:`to_dict`."""
        train = values["train"]
        if train.get("tsne_metric") and "tsne_iterations" not in train:
            # Before 2026-11-28 the preset quick left these to openTSNE's defaults.
            last = train.get("last_exaggeration") or 1.0
            train = {
                **train,
                "whitening": 0.0,
                "tsne_iterations": 500,
                "last_exaggeration": last,
            }
        return cls(TrainConfig.from_dict(train), AugmentConfig.from_dict(values["augment"]))
