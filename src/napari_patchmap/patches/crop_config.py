"""How crops are laid around objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_patchmap.errors import ConfigError
from napari_patchmap.settings import Config, setting


@dataclass(frozen=True)
class CropConfig(Config):
    """How objects become patches.

    Raises
    ------
    ConfigError
        If a value is out of range, or both micrometres per pixel and a level are given.
    """

    size: int | None = setting(
        None, "Side of the square cut out around each object; chosen from the objects when "
        "nothing is said, so that 95 % of them fit.", unit="px", low=4, high=2048,
    )  # fmt: skip
    mpp: float | None = setting(
        None, "Of a slide, the resolution of the crops; nothing means its own pixels.",
        label="Micrometres per pixel", unit="µm", low=0.01, high=100.0, step=0.05,
    )  # fmt: skip
    level: int | None = setting(
        None, "Of a slide, the level whose pixels are taken, from 0, the largest, on.",
        low=0, high=30, rare=True,
    )  # fmt: skip
    padding: int = setting(
        4, "Space left around the objects when the size is chosen from them.",
        unit="px", low=0, high=512,
    )  # fmt: skip
    mask_neighbours: bool = setting(
        False, "Paint over other objects in a crop with the colour of the background.",
        label="Hide neighbours",
    )  # fmt: skip
    mask_background: bool = setting(
        False, "Paint over everything but the object itself.", label="Hide background",
        rare=True,
    )  # fmt: skip
    smallest: int = setting(
        10, "Objects of fewer pixels are left out as debris.", label="Smallest area",
        unit="px", low=1, high=1_000_000_000, rare=True,
    )  # fmt: skip
    border: Literal["keep", "skip"] = setting(
        "keep", "Objects that touch the border of the image: keep (the crop is filled up with "
        "the colour of the background) or skip.", label="At the border", rare=True,
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mpp is not None and self.level is not None:
            raise ConfigError(
                "Choose the resolution of the crops either in micrometres per pixel or as a "
                "level of the slide, not both."
            )
