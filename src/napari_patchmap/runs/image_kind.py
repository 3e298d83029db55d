"""What the images of a run were like, and how much others are like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.neighbors import NearestNeighbors

from napari_patchmap.patches import Intensity, PatchSet
from napari_patchmap.patches.fit import Fit
from napari_patchmap.percent import percent

#: Sizes that differ by more than this factor are told.
_OTHER_SIZE = 1.25

#: A mean intensity so many standard deviations of the run's patches away is told, and
#: none that is closer than this many of 255 levels.
_OTHER_LEVEL, _LEAST = 2.0, 10.0

#: A patch is unlike those of a run if it is farther from its nearest one than this
#: share of the run's patches are from theirs.
_USUAL = 0.99

#: Told when more than this share of the new patches are.
_MANY = 0.1

#: Patches of a run whose distances tell what is usual.
_SAMPLE = 4000

#: Longest side in pixels at which mean intensities are taken.
_LOOK_SIDE = 32


@dataclass(frozen=True)
class ImageKind:
    """What the images of a run were like; new ones are treated the same."""

    channel_names: tuple[str, ...]
    intensity: Intensity
    """Scaling to 8 bits."""
    fit: Fit | None
    """How other sizes are brought to the training size."""
    size: tuple[int, int] | None = None
    """(height, width) of the patches as stored, in pixels; None in runs of an older version."""
    levels: tuple[tuple[float, float], ...] = ()
    """(mean, deviation) of each channel, over the patches' mean intensities in 8 bits."""

    @classmethod
    def of(cls, patches: PatchSet) -> Self:
        """Note what these patches are like."""
        assert patches.intensity is not None
        means = _means(patches)
        levels = tuple(
            (round(float(m), 2), round(float(s), 2))
            for m, s in zip(means.mean(axis=0), means.std(axis=0), strict=True)
        )
        return cls(
            patches.channel_names, patches.intensity, patches.fit, patches.common_size, levels
        )

    def differences(self, patches: PatchSet) -> list[str]:
        """Say in sentences how other patches, with this kind's intensity scaling, differ."""
        found = []
        if self.size is not None:
            ratios = [n / h for n, h in zip(patches.common_size, self.size, strict=True)]
            if max(ratios) > _OTHER_SIZE or min(ratios) < 1 / _OTHER_SIZE:
                (height, width), (h, w) = patches.common_size, self.size
                found.append(
                    f"The new patches are {width} x {height} px, those of the map {w} x {h}: "
                    "what is in them looks larger or smaller than the network knows it, unless "
                    "the pixels are of another size too."
                )
        if patches.channel_names != self.channel_names:
            found.append(
                f"The channels are called {', '.join(patches.channel_names)}, those of the map "
                f"{', '.join(self.channel_names)}; they were taken in this order."
            )
        for name, mean, (level, spread) in zip(
            self.channel_names, _means(patches).mean(axis=0), self.levels, strict=False
        ):
            if abs(mean - level) > max(_OTHER_LEVEL * spread, _LEAST):
                than = "brighter" if mean > level else "darker"
                found.append(
                    f"Channel {name} is much {than} in the new patches ({mean:.0f} of 255 on "
                    f"average, {level:.0f} in those of the map): another stain, exposure or "
                    "bit depth?"
                )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "channel_names": list(self.channel_names),
            "intensity": self.intensity.to_dict(),
            "fit": self.fit,
            "size": None if self.size is None else list(self.size),
            "levels": [list(pair) for pair in self.levels],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild what :meth:`to_dict` wrote."""
        size = values.get("size")
        return cls(
            tuple(values["channel_names"]),
            Intensity.from_dict(values["intensity"]),
            values["fit"],
            None if size is None else (int(size[0]), int(size[1])),
            tuple((float(mean), float(spread)) for mean, spread in values.get("levels", [])),
        )


def unlikeness(new: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, str]:
    """Say how far new features are from those of a map.

    Parameters
    ----------
    new : ndarray of float32, shape (m, d)
    features : ndarray of float32, shape (n, d)

    Returns
    -------
    distances : ndarray of float32, shape (m,)
        Euclidean distance to the nearest of ``features``, in units of the distance
        that 99 % of those are within of their own nearest; above 1 is unusual.
    sentence : str
        "" if not many are unusual.
    """
    if not len(new):
        return np.empty(0, np.float32), ""
    near = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(features)
    chosen = np.unique(np.linspace(0, len(features) - 1, _SAMPLE).astype(int))
    own = near.kneighbors(features[chosen])[0][:, 1]
    usual = max(float(np.quantile(own, _USUAL)), 1e-12)
    distances = (near.kneighbors(new, 1)[0][:, 0] / usual).astype(np.float32)
    far = int((distances > 1).sum())
    if far <= _MANY * len(new):
        return distances, ""
    return distances, (
        f"{far:,} of {len(new):,} new patches ({percent(far / len(new))}) are unlike those of "
        f"the map: farther from all of them than {percent(_USUAL)} of these are from each "
        "other. Their places on the map say little."
    )


def _means(patches: PatchSet) -> np.ndarray:
    """Mean intensity of each channel of some patches in 8 bits, shape (n, channel)."""
    size = patches.training_size(_LOOK_SIDE)
    pixels = patches.pixels(patches.spread(), size)
    return pixels.reshape(*pixels.shape[:2], -1).mean(axis=2)
