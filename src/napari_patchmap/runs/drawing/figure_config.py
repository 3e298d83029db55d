"""What can be set of a figure: size, letters, points, names, look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_patchmap.settings import Config, setting

Names = Literal["legend", "beside", "none"]
Look = Literal["light", "dark"]


@dataclass(frozen=True)
class PageConfig(Config):
    """Settings of any figure; the defaults suit a page of a journal."""

    colour_by: str | None = setting(
        None,
        "column that gives the colours; label where there is one, 'none' for one colour",
    )
    title: str | None = setting(None, "line above the figure; none when not given")
    width: float = setting(
        180.0,
        "width of the page; journals have columns of about 85 and pages of 180",
        unit="mm",
        low=30.0,
        high=2000.0,
        step=5.0,
    )
    font_size: float = setting(
        7.0, "size of the letters", unit="pt", low=3.0, high=72.0, step=0.5
    )
    look: Look = setting("light", "light, for paper, or dark, for slides and screens")
    dpi: int = setting(
        300,
        "resolution of PNG, and of pictures and many points in SVG and PDF",
        unit="dots per inch",
        low=50,
        high=1200,
        label="Resolution",
    )


@dataclass(frozen=True)
class FigureConfig(PageConfig):
    """Settings of the figure of a map."""

    names: Names = setting(
        "legend",
        "where the groups are named: in a legend, beside them on the map, or nowhere",
    )
    height: float | None = setting(
        None,
        "height of the page; as the map needs it",
        unit="mm",
        low=30.0,
        high=2000.0,
        step=5.0,
    )
    point_size: float | None = setting(
        None,
        "diameter of the points; smaller the more there are",
        unit="pt",
        low=0.05,
        high=50.0,
        step=0.1,
    )
