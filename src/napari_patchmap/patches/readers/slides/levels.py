"""What in a TIFF file is the slide, and where its smaller copies lie."""

from __future__ import annotations

import os
from pathlib import Path

import tifffile

from napari_patchmap import formats
from napari_patchmap.errors import UnusableError
from napari_patchmap.kind import Kind
from napari_patchmap.patches.readers.slides.microscope_slide import is_microscope_slide
from napari_patchmap.patches.readers.slides.pages import Plane
from napari_patchmap.patches.readers.tiff.tiff_series import may_be_slide

#: A file of more pages is a stack, unless its levels lie below a page (SubIFDs).
_MANY_PAGES = 1_000

#: How TIFF says that an image is a colour image.
RGB_PHOTOMETRIC = (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)


def is_slide(path: str | os.PathLike[str]) -> bool:
    """Say whether a file is an image pyramid; the pixels are not looked at."""
    path = Path(path)
    if not path.name.lower().endswith(formats.endings(Kind.SLIDES)) or not path.is_file():
        return False
    if path.name.lower().endswith(formats.SURE_SLIDES):
        return True
    try:
        if path.name.lower().endswith(tuple(formats.MICROSCOPES)):
            return is_microscope_slide(path)
        with tifffile.TiffFile(path) as tif:
            if tif.pages.first.subifds is None and _has_page(tif, _MANY_PAGES):
                return False  # at once: describing its series would take seconds
            return any(
                may_be_slide(one.keyframe) and len(find_levels(tif, one)) > 1
                for one in tif.series
            )
    except Exception:  # noqa: BLE001 - whoever reads the file says what is wrong with it
        return False


def _has_page(tif: tifffile.TiffFile, index: int) -> bool:
    try:
        tif.pages.get(index)
    except IndexError:
        return False
    return True


def find_levels(
    tif: tifffile.TiffFile, series: tifffile.TiffPageSeries
) -> list[tifffile.TiffPageSeries]:
    """List the copies of an image: levels of its series, and other series that look like it."""
    found = list(series.levels)
    if series.kind != "generic" or not series.keyframe.is_tiled or len(series.pages) > 1:
        return found
    # tifffile follows pages for as long as each is smaller by the same ratio.
    height, width = side(series, "Y"), side(series, "X")
    smallest = side(found[-1], "Y")
    return found + [
        one
        for one in tif.series
        if one is not series
        and one.keyframe.is_tiled
        and (one.axes, one.dtype, len(one.pages)) == (series.axes, series.dtype, 1)
        and one.keyframe.samplesperpixel == series.keyframe.samplesperpixel
        and side(one, "Y") < smallest / 1.5
        and abs(side(one, "Y") * width / (height * side(one, "X")) - 1) < 0.02
    ]


def check_axes(series: tifffile.TiffPageSeries) -> None:
    lengths = dict(zip(series.axes, series.shape, strict=True))
    if not {"Y", "X"} <= set(lengths):
        raise UnusableError(f"has the axes {series.axes}, without Y and X: it is not a slide")
    for axis, length in lengths.items():
        if axis not in "CYXS" and length > 1:
            raise UnusableError(
                f"holds {length} images along {axis}, so it is a stack and not a slide",
                "open it without settings for tiles, or save one of its planes",
            )


def planes_of(level: tifffile.TiffPageSeries) -> list[Plane]:
    """Make the planes of one level, one channel after another."""
    key = level.keyframe
    samples, rgb = int(key.samplesperpixel), key.photometric in RGB_PHOTOMETRIC
    planes: list[Plane] = []
    for page in level.pages:
        if page is None:
            raise UnusableError("is incomplete: a page is missing", "copy or export it again")
        if int(key.planarconfig) == 2 and samples > 1:
            planes += [Plane(page, sample) for sample in range(3 if rgb else samples)]
        else:
            planes.append(Plane(page))
    return planes


def side(series: tifffile.TiffPageSeries, axis: str) -> int:
    return int(series.shape[series.axes.index(axis)]) if axis in series.axes else 0


def whole_ratio(*ratios: float) -> float:
    """Take the whole number that was meant: levels are rounded to whole pixels."""
    ratio = sum(ratios) / len(ratios)
    return float(round(ratio)) if abs(ratio / round(ratio) - 1) < 0.01 else ratio
