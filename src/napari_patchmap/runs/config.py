"""Settings of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from napari_patchmap.augment.config import AugmentConfig
from napari_patchmap.config import Config, setting

Method = Literal["tsimcne"]
METHODS: tuple[str, ...] = get_args(Method)


@dataclass(frozen=True)
class TrainConfig(Config):
    """What is trained, for how long and on what. None means "decide for me"."""

    method: Method = setting("tsimcne", "How the map is learned.", group="Method")
    preset: Literal["quick", "standard", "paper"] = setting(
        "quick",
        "quick: minutes on a laptop; standard: good maps on a GPU; paper: the published "
        "recipe (hours on a GPU).",
        group="Method",
    )
    minutes: float | None = setting(
        None,
        "Plan the training to end within this time, evaluation included; empty follows the "
        "preset's epochs.",
        unit="min",
        low=0.1,
        high=100_000.0,
        step=1.0,
        group="Time",
    )
    epochs: tuple[float, ...] | None = setting(
        None,
        "Passes over the patches in each of the three stages; empty follows the preset.",
        low=0.0,
        high=1e6,
        group="Time",
        rare=True,
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto", "Where to compute; auto takes a GPU if there is one.", group="Computer"
    )
    seed: int = setting(
        0, "Same seed, same machine: same map.", low=0, high=2**31 - 1, group="Computer"
    )
    batch_size: int | None = setting(
        None,
        "Patches in a step; more give more to compare with. Empty follows the preset.",
        unit="patches",
        low=2,
        high=65536,
        group="Network",
        rare=True,
    )
    backbone: Literal["compact", "resnet18", "resnet18-small-kernel"] | None = setting(
        None,
        "Network that looks at a patch; empty takes compact on a CPU and the paper's "
        "small-kernel ResNet18 on a GPU.",
        group="Network",
        rare=True,
    )
    longest_side: int | None = setting(
        None,
        "Longer side at which patches are trained; empty takes their own, at most 64.",
        unit="px",
        low=8,
        high=1024,
        group="Network",
        rare=True,
    )


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
        return cls(
            TrainConfig.from_dict(values["train"]), AugmentConfig.from_dict(values["augment"])
        )
