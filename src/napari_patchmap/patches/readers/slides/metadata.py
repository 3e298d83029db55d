"""What a slide says of its resolution: micrometres per pixel and magnification."""

from __future__ import annotations

from typing import NamedTuple

import tifffile

from napari_patchmap.patches.readers.tiff.tiff_metadata import ome_xml

#: Micrometres in one unit of OME's lengths; other units (pixel, reference frame) say nothing.
_UNITS = {
    "m": 1e6, "cm": 1e4, "mm": 1e3, "µm": 1.0, "μm": 1.0, "um": 1.0,
    "micron": 1.0, "nm": 1e-3, "Å": 1e-4,
}  # fmt: skip

#: What microscopes and scanners reach, in micrometres per pixel. Resolutions meant for
#: printing (72 or 300 dots an inch) are far coarser.
_PLAUSIBLE = (0.01, 30.0)

#: Objectives there are; 10 micrometres on the sensor is their common pixel.
_OBJECTIVES = (1.25, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 100.0)


class Resolution(NamedTuple):
    """Resolution of a slide's largest image, None where nothing is known.

    ``derived`` says that one of the two was worked out from the other.
    """

    mpp: float | None
    magnification: float | None
    derived: bool


def resolution(tif: tifffile.TiffFile, series: int, page: tifffile.TiffPage) -> Resolution:
    """Read micrometres per pixel and magnification from what the file says.

    ``series`` is the index of the slide's image among the file's, ``page`` its first page at
    full resolution.
    """
    if tif.is_svs:
        said = _aperio(page.description)
        mpp, magnification = _number(said.get("MPP")), _number(said.get("AppMag"))
    else:
        mpp, magnification = _ome(tif, series)
    mpp = _plausible(mpp) or _imagej(tif, page) or _tags(page)
    derived = (mpp is None) != (magnification is None)
    if mpp is None and magnification is not None:
        mpp = 10 / magnification
    elif magnification is None and mpp is not None:
        magnification = objective(mpp)
    return Resolution(mpp, magnification, derived)


def _plausible(mpp: float | None) -> float | None:
    return mpp if mpp is not None and _PLAUSIBLE[0] <= mpp <= _PLAUSIBLE[1] else None


def _number(text: str | None) -> float | None:
    """Read a positive number; some scanners write a comma."""
    try:
        value = float((text or "").strip().replace(",", "."))
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def _aperio(description: str) -> dict[str, str]:
    """Split ``Aperio ...|AppMag = 20|MPP = 0.4990`` into its entries."""
    entries = (entry.partition("=") for entry in description.split("|")[1:])
    return {name.strip(): value.strip() for name, _, value in entries}


def _ome(tif: tifffile.TiffFile, index: int) -> tuple[float | None, float | None]:
    root = ome_xml(tif)
    images = [] if root is None else [n for n in root.iter() if n.tag.endswith("}Image")]
    if root is None or not images:
        return None, None
    image = images[index] if index < len(images) else images[0]
    pixels = next((node for node in image.iter() if node.tag.endswith("}Pixels")), image)
    size = _number(pixels.get("PhysicalSizeX"))
    unit = _UNITS.get(pixels.get("PhysicalSizeXUnit", "µm"))
    mpp = size * unit if size is not None and unit is not None else None
    wanted = next((n.get("ID") for n in image if n.tag.endswith("}ObjectiveSettings")), None)
    objectives = {
        node.get("ID"): _number(node.get("NominalMagnification"))
        for node in root.iter()
        if node.tag.endswith("}Objective")
    }
    if wanted is None and len(objectives) == 1:
        wanted = next(iter(objectives))
    return mpp, objectives.get(wanted)


def _imagej(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> float | None:
    if not tif.is_imagej:
        return None
    unit = str((tif.imagej_metadata or {}).get("unit", "")).replace("\\u00B5", "µ")
    pixels = _per_unit(page)
    return _plausible(_UNITS[unit] / pixels) if unit in _UNITS and pixels else None


def _tags(page: tifffile.TiffPage) -> float | None:
    unit = {2: 25_400.0, 3: 10_000.0}.get(int(page.resolutionunit))
    pixels = _per_unit(page)
    return _plausible(unit / pixels) if unit is not None and pixels else None


def _per_unit(page: tifffile.TiffPage) -> float:
    """Pixels in one unit of the resolution tags, 0 where there are none."""
    tag = page.tags.get("XResolution")
    if tag is None or not isinstance(tag.value, tuple) or not tag.value[1]:
        return 0.0
    return float(tag.value[0] / tag.value[1])


def objective(mpp: float) -> float:
    """Guess the objective from the pixel size: 0.5 micrometres are 20x, 0.25 are 40x."""
    exact = 10 / mpp
    nearest = min(_OBJECTIVES, key=lambda one: abs(one / exact - 1))
    return nearest if abs(nearest / exact - 1) < 0.15 else round(exact, 1)
