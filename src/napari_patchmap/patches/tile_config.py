"""The settings by which a slide is cut into tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from napari_patchmap.errors import ConfigError
from napari_patchmap.settings import Config, setting

#: Tiles of each slide where there are several and nothing is said.
TILES_OF_MANY = 100


def _share(default: float, help: str, label: str, *, rare: bool = True) -> Any:
    return setting(default, help, label=label, low=0.0, high=1.0, step=0.05, rare=rare)


@dataclass(frozen=True)
class TileConfig(Config):
    """How a slide is cut into tiles.

    ``hsv`` keeps what lies within ranges of hue, saturation and value. The preset
    is the rule of Ciga et al., "Self supervised contrastive learning for digital
    histopathology": hue 0.5 to 0.65, saturation above 0.1, value 0.5 to 0.9, tuned
    on one data set. It is doubtful: these hues are cyan and blue, while tissue
    stained with haematoxylin and eosin normally has hues of 0.75 to 0.95, and the
    sentence in the paper can also be read as naming what to leave out. For such
    tissue set the hues to 0.7 and 1, or keep ``otsu``.

    Raises
    ------
    ConfigError
        If a value is out of range, or both micrometres per pixel and a
        magnification are given.
    """

    size: int = setting(
        224, "Side of a square tile.", label="Tile size", unit="pixels", low=8, high=4096
    )
    mpp: float | None = setting(
        None,
        "Resolution of the tiles; nothing means that of the slide.",
        label="Micrometres per pixel",
        unit="µm",
        low=0.01,
        high=100.0,
        step=0.05,
    )
    magnification: float | None = setting(
        None,
        "Resolution of the tiles as a magnification, 20 say; nothing means that of the slide.",
        unit="x",
        low=0.1,
        high=200.0,
        step=5.0,
    )
    stride: int | None = setting(
        None,
        "Distance from one tile to the next, in pixels of the tiles; nothing means side by "
        "side.",
        label="Stride",
        unit="pixels",
        low=1,
        high=65536,
        rare=True,
    )
    foreground: Literal["otsu", "hsv", "none"] = setting(
        "otsu",
        "How tissue is told from glass: otsu (what has more colour, found for each slide; in "
        "grey and fluorescence slides what is brighter), hsv (the ranges of hue, saturation "
        "and value below) or none (every tile is kept).",
        label="Foreground",
    )
    min_foreground: float = _share(
        0.5,
        "Smallest share of a tile that must be tissue.",
        "Least tissue in a tile",
        rare=False,
    )
    tiles_per_slide: int | None = setting(
        None,
        "Most tiles of a slide, chosen at random; nothing means all of one slide, and "
        f"{TILES_OF_MANY} of each of several.",
        label="Most tiles a slide",
        low=1,
        high=10_000_000,
    )
    seed: int = setting(
        0, "Start of the random choice of tiles.", low=0, high=2**31 - 1, rare=True
    )
    hue_low: float = _share(
        0.5,
        "hsv: lowest hue. The published 0.5 to 0.65 are cyan and blue, doubtful for tissue in "
        "H&E, which has 0.7 to 1; a range that ends below its start goes through red.",
        "Lowest hue",
    )
    hue_high: float = _share(0.65, "hsv: highest hue.", "Highest hue")
    saturation_low: float = _share(0.1, "hsv: lowest saturation.", "Lowest saturation")
    value_low: float = _share(0.5, "hsv: lowest value.", "Lowest value")
    value_high: float = _share(0.9, "hsv: highest value.", "Highest value")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mpp is not None and self.magnification is not None:
            raise ConfigError(
                "Choose the resolution of the tiles either in micrometres per pixel or as a "
                "magnification, not both."
            )
        if self.value_low >= self.value_high:
            raise ConfigError(
                f"Lowest value ({self.value_low:g}) must be below the highest "
                f"({self.value_high:g})."
            )
