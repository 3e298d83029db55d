"""The patch set: every source of images looks like this to the rest of the code."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.fit import border_colour, fit_to, resize, same_aspect
from napari_patchmap.patches.intensity import Intensity
from napari_patchmap.patches.patch_parts import PatchParts
from napari_patchmap.patches.patch_parts import Skipped as Skipped
from napari_patchmap.patches.pictures import as_rgb, no_picture, plain_picture

#: How many patches are looked at, of those that stand for the set, to choose how they are
#: shown: slides have to be read for it.
_SEEN = 64

#: How many pixel values are resized in one go (as float32, 128 MB).
_PIXELS = 2**25


def same_patches(one: PatchSet | None, other: PatchSet | None) -> bool:
    """Whether two sets are of the same images in one order, whatever their tables say."""
    if one is None or other is None:
        return one is other
    return one.images is other.images


@dataclass(eq=False)
class PatchSet(PatchParts):
    """Patches in their own type and size, and a table with one row for each.

    What it consists of is said in :class:`~napari_patchmap.patches.patch_parts.PatchParts`;
    here is what is made of its pixels, to be trained on and to be looked at.
    """

    def pixels(self, indices: Sequence[int] | np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return patches at training size.

        Parameters
        ----------
        indices : sequence of int
            Which patches, in the order wanted.
        size : (height, width)
            Size in pixels of the result.

        Returns
        -------
        ndarray of uint8, shape (len(indices), channel, height, width)
            A view of an array whose last axis is the channel, as images are stored.

        Raises
        ------
        PatchError
            If ``size`` has another aspect than the patches and ``fit`` does not
            say what to do about it: nothing is squashed silently.
        """
        indices, size = np.asarray(indices, dtype=np.intp), (int(size[0]), int(size[1]))
        height, width = self.common_size
        if self.fit is None and not same_aspect((height, width), size):
            raise PatchError(
                f"The images in {self.name} are {width} x {height} but {size[1]} x {size[0]} "
                "are needed (width x height); choose how to bring them to that shape: resize, "
                "crop or pad."
            )
        if not self.mixed_sizes and self.common_size == size and self.dtype == np.uint8:
            return self._fitted(indices, size).transpose(0, 3, 1, 2)
        out = np.empty((len(indices), *size, self.channels), np.uint8)
        # In parts, so that resizing a few thousand large patches does not fill the memory.
        part = max(1, _PIXELS // (height * width * self.channels))
        for start in range(0, len(indices), part):
            rows = slice(start, start + part)
            out[rows] = self._fitted(indices[rows], size)
        return out.transpose(0, 3, 1, 2)

    def _fitted(self, indices: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return a few patches as ``(n, height, width, channel)`` uint8 of one size."""
        intensity, how = self.intensity, self.fit or "resize"
        assert intensity is not None
        if not self.mixed_sizes:
            batch = intensity.to_uint8(self.images.take(indices))
            if how == "resize" or batch.shape[1:3] == size:
                return resize(batch, size)
            return np.stack([fit_to(patch, size, how) for patch in batch])
        patches = (intensity.to_uint8(self.images[i]) for i in indices.tolist())
        return np.stack([fit_to(patch, size, how) for patch in patches])

    def border_colour(self, size: tuple[int, int]) -> np.ndarray:
        """Mean colour over the patches' borders at training size.

        Returns
        -------
        ndarray of float64, shape (channel,), 0 to 255
        """
        return border_colour(self.pixels(self.spread(), size))

    def thumbnail(self, index: int, side: int = 64) -> np.ndarray:
        """Return patch ``index`` as an RGB picture for people, brightened where it is dim.

        Grey is shown grey; of several channels the first three are shown as
        red, green and blue.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3), longer side ``side`` pixels
        """
        assert self.intensity is not None
        size = self.thumbnail_size(index, side)
        if not self.pictured:
            return plain_picture(*size)
        if self.is_missing(index):
            return no_picture(*size)
        patch = self.intensity.then(self.eyes).to_uint8(self[index])
        return resize(as_rgb(patch)[None], size)[0]

    def thumbnail_size(self, index: int, side: int) -> tuple[int, int]:
        """Return (height, width) of a picture of a patch, known without reading it."""
        height, width = self.images.sizes[index].tolist()
        scale = side / max(height, width)
        return max(1, round(height * scale)), max(1, round(width * scale))

    @cached_property
    def eyes(self) -> Intensity:
        """How the pixels that training sees are brightened to be looked at.

        The same for all patches, and for whatever is compared with them.
        """
        intensity, spread = self.intensity, self.spread()
        assert intensity is not None
        some = spread[np.linspace(0, len(spread) - 1, min(_SEEN, len(spread))).astype(int)]
        seen = []
        for index in some.tolist():
            with suppress(PatchError):  # a damaged one says so where it is looked at
                seen.append(intensity.to_uint8(self.images[index]))
        if not seen:
            return Intensity.identity(self.channels)
        return Intensity.for_eyes(seen, self.channels, self.is_rgb)

    def shown_as(self, other: PatchSet) -> PatchSet:
        """Return these patches, shown as bright as those of another set of the same kind."""
        if self.channels != other.channels:
            return self
        like = replace(self, intensity=other.intensity)
        like.eyes = other.eyes
        return like

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """Show pixels that training sees, uint8 ``(..., channel)``, as in :meth:`thumbnail`."""
        return as_rgb(self.eyes.to_uint8(pixels))
