"""What is wrong with patches, measured on their pixels and against those of all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_patchmap.find.readable import readable
from napari_patchmap.find.scratches import lines_across
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.fit import border_pixels, resize
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Longer side in pixels at which patches are measured, and lines are; patches read at once.
_SIDE, _LINES, _STEP = 64, 32, 256

#: Steps of each channel in which colours are counted, and patches whose colours are usual.
_COLOURS, _SAMPLE = 8, 2_000

#: Share of the patches that have a rare colour anywhere in them, at most.
_RARE = 0.005

#: Grey levels from the ends that count as at the limit.
_LIMIT = 1


@dataclass(frozen=True)
class Fault:
    """Something that may be wrong with a patch.

    Parameters
    ----------
    measure : str
        The number that tells; see :func:`measured_faults`.
    sign : int
        1 if a larger number is worse, -1 if a smaller one is.
    words : str
        What is said of the patch.
    """

    measure: str
    sign: int
    words: str


FAULTS = (
    Fault("edges", -1, "blurred"),
    Fault("edges", 1, "hard edges"),
    Fault("contrast", -1, "empty"),
    Fault("limits", 1, "saturated"),
    Fault("border", 1, "cut at the border"),
    Fault("rare colours", 1, "unusual colour"),
    Fault("line", 1, "line across"),
    Fault("size", 1, "larger than others"),
    Fault("size", -1, "smaller than others"),
)


def measured_faults(patches: PatchSet, watch: Watch = UNWATCHED) -> dict[str, np.ndarray]:
    """Measure of each patch what tells its faults.

    ``edges`` is the logarithm of the variance of the Laplacian (Pech-Pacheco et al., "Diatom
    autofocusing in brightfield microscopy", ICPR 2000), ``contrast`` that of the standard
    deviation, ``limits`` the share of pixels at the darkest or brightest value, ``border``
    the share of the border that differs from the background as objects do, ``rare colours``
    the share of pixels whose colour hardly another patch of the set has, ``line`` how clear
    a straight line is, ``size`` the logarithm of the area.

    Parameters
    ----------
    patches : PatchSet
    watch : Watch
        Told how many of how many are measured.

    Returns
    -------
    dict of str to ndarray of float32, shape (n,)
        NaN where a patch could not be read.
    """
    size = patches.training_size(_SIDE)
    usual = _Usual.of(patches, size)
    found = {name: np.full(len(patches), np.nan, np.float32) for name in usual.measures}
    for start in range(0, len(patches), _STEP):
        rows = np.arange(start, min(start + _STEP, len(patches)))
        rows, pixels = readable(patches, rows, size)
        if len(rows):
            for name, values in usual.measured(pixels).items():
                found[name][rows] = values
        if watch.ends(min(start + _STEP, len(patches)), len(patches)):
            break
    if patches.mixed_sizes:
        area = patches.images.sizes.prod(axis=1)
    else:
        area = (patches.table["height"] * patches.table["width"]).to_numpy()
    found["size"] = np.log2(np.maximum(area, 1)).astype(np.float32)
    return found


def sharpness(patches: PatchSet, rows: np.ndarray, watch: Watch = UNWATCHED) -> np.ndarray:
    """Return the ``edges`` of some patches, (m,), -1 where one could not be read."""
    found = np.full(len(rows), -1.0)
    size = patches.training_size(_SIDE)
    for start in range(0, len(rows), _STEP):
        watch.check()
        some = rows[start : start + _STEP]
        read, pixels = readable(patches, some, size)
        if len(read):
            at = start + np.flatnonzero(np.isin(some, read))
            found[at] = _edges(pixels.mean(axis=1, dtype=np.float32))
    return found


def _edges(grey: np.ndarray) -> np.ndarray:
    """Return the logarithm of the variance of the Laplacian of pictures (n, y, x)."""
    middle = grey[:, 1:-1, 1:-1]
    around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    found: np.ndarray = np.log2((around - 4 * middle).reshape(len(grey), -1).var(axis=1) + 1)
    return found


@dataclass(frozen=True, eq=False)
class _Usual:
    """What is usual in a set: its background and its colours.

    Parameters
    ----------
    background : ndarray of float32, shape (channel,)
    far : float
        Distance from the background from which on a pixel is of an object.
    rare : ndarray of bool, shape (colours,), or None
        Which colours are rare; None without colour.
    """

    background: np.ndarray
    far: float
    rare: np.ndarray | None

    @classmethod
    def of(cls, patches: PatchSet, size: tuple[int, int]) -> _Usual:
        from napari_patchmap.patches.readers.slides.foreground import otsu

        spread = patches.spread()[:_SAMPLE]
        _, pixels = readable(patches, spread, size)
        if not len(pixels):
            return cls(np.zeros(patches.channels, np.float32), np.inf, None)
        background = np.median(border_pixels(pixels), axis=(0, 2)).astype(np.float32)
        away = _away(pixels, background)
        rare = None
        if patches.is_rgb:
            # By patches, not pixels: one blot of ink in the sample makes ink no usual colour.
            has = np.zeros((len(pixels), _COLOURS**3), bool)
            colours = _colour(pixels).reshape(len(pixels), -1)
            has[np.arange(len(pixels))[:, None], colours] = True
            rare = has.sum(axis=0) <= max(1, _RARE * len(pixels))
        return cls(background, float(otsu(away.reshape(-1))), rare)

    @property
    def measures(self) -> tuple[str, ...]:
        colour = () if self.rare is None else ("rare colours",)
        return ("edges", "contrast", "limits", "border", "line", *colour)

    def measured(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        grey = pixels.mean(axis=1, dtype=np.float32)
        limits = (pixels <= _LIMIT) | (pixels >= 255 - _LIMIT)
        found = {
            "edges": _edges(grey),
            "contrast": np.log2(grey.std(axis=(1, 2)) + 1),
            "limits": limits.all(axis=1).mean(axis=(1, 2)),
            "border": (_away(border_pixels(pixels), self.background) > self.far).mean(axis=1),
        }
        shrink = min(1.0, _LINES / max(grey.shape[1:]))
        size = tuple(max(3, round(length * shrink)) for length in grey.shape[1:])
        found["line"] = lines_across(resize(grey[..., None], size)[..., 0])
        if self.rare is not None:
            found["rare colours"] = self.rare[_colour(pixels)].mean(axis=(1, 2))
        return found


def _away(pixels: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return how far pixels are from a colour; the channel is axis 1."""
    shape = (1, -1, *[1] * (pixels.ndim - 2))
    away: np.ndarray = np.linalg.norm(pixels - background.reshape(shape), axis=1)
    return away


def _colour(pixels: np.ndarray) -> np.ndarray:
    """Return the number of each pixel's colour, coarsely, (n, y, x)."""
    red, green, blue = (pixels[:, k].astype(np.intp) * _COLOURS // 256 for k in range(3))
    return (red * _COLOURS + green) * _COLOURS + blue


def beyond(values: np.ndarray, sign: int) -> np.ndarray:
    """Return how far each value is beyond the set's, in its robust standard deviations.

    The median is 0, and a standard deviation 1.4826 times the median absolute deviation, as
    it is of a normal distribution. Where half of all values are the same, the farthest of
    the others is 10. Missing values are 0.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros_like(values)
    middle = np.median(known)
    away = np.abs(known - middle)
    scale = 1.4826 * np.median(away)
    if scale == 0:
        scale = away.max() / 10 or 1.0
    return np.nan_to_num(sign * (values - middle) / scale)
