"""Making augmented views of a batch of patches on the training device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.colour import solarise_some
from napari_patchmap.augment.geometry import resample
from napari_patchmap.augment.random_views import RandomViews
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch

Symmetry = tuple[int, bool]

#: Patches that are varied together on a CPU.
_CACHED = 64


class ViewMaker:
    """Turn uint8 patches into random views in [0, 1], in batches, on any device.

    Saturation, hue and grey are left out unless the channels are red, green and blue
    (``is_rgb``). Outside of turned patches is the colour ``fill``, 0 to 255 a channel.
    """

    def __init__(self, config: AugmentConfig, *, is_rgb: bool, fill: np.ndarray) -> None:
        self._full = self.config = config
        self.is_rgb = is_rgb
        self.fill = np.asarray(fill, np.float32)
        self._colour = torch.from_numpy(self.fill / 255)
        self._strength = 1.0

    @property
    def strength(self) -> float:
        """Strength of crops and colour changes, 0 to 1 (:meth:`AugmentConfig.weakened`)."""
        return self._strength

    @strength.setter
    def strength(self, value: float) -> None:
        if value != self._strength:
            self._strength, self.config = value, self._full.weakened(value)

    def __call__(
        self,
        patches: Tensor,
        generator: torch.Generator,
        *,
        part: slice | None = None,
        batch: int | None = None,
        size: tuple[int, int] | None = None,
    ) -> Tensor:
        """Make one view of each patch.

        Parameters
        ----------
        patches : Tensor of uint8, shape (b, channel, height, width)
        generator : torch.Generator
            On the same device as the patches.
        part : slice, optional
            Where in a larger batch these patches are. Random numbers are drawn for
            all of it, so its parts can be made by several processes, each with a
            generator in the same state, and are the same as if made at once.
        batch : int, optional
            Patches in that larger batch; given with ``part``.
        size : (height, width), optional
            Of the views; that of the patches when None.

        Returns
        -------
        Tensor of float32, shape (b, channel, height, width), 0 to 1
        """
        if (part is None) != (batch is None):
            raise ValueError("a part needs the size of the batch that it is a part of")
        batch, whole = batch or len(patches), (patches.shape[-2], patches.shape[-1])
        drawn = RandomViews.draw(self.config, whole, batch, generator)
        drawn = drawn if part is None else drawn[part]
        colour = self.colour_on(patches.device)
        # On a CPU in parts that stay in its cache, which is twice as fast.
        step = _CACHED if patches.device.type == "cpu" else max(1, len(patches))
        shape = (*patches.shape[:2], *(size or whole))
        out = torch.empty(shape, device=patches.device)
        for start in range(0, len(patches), step):
            some = slice(start, start + step)
            out[some] = self._view(patches[some], drawn[some], colour, size)
        return out

    def _view(
        self, patches: Tensor, drawn: RandomViews, colour: Tensor, size: tuple[int, int] | None
    ) -> Tensor:
        images = resample(plain(patches), drawn.geometry, colour, size)
        images = drawn.colours.apply(images, self.config, is_rgb=self.is_rgb)
        images = images if drawn.blur is None else drawn.blur.apply(images)
        return images if drawn.solarised is None else solarise_some(images, drawn.solarised)

    def colour_on(self, device: torch.device) -> Tensor:
        """The colour ``fill``, 0 to 1, sent to a device once: a GPU is waited for meanwhile."""
        self._colour = self._colour.to(device)
        return self._colour

    def with_config(self, config: AugmentConfig) -> ViewMaker:
        """Return a maker of other views of the same patches."""
        return ViewMaker(config, is_rgb=self.is_rgb, fill=self.fill)


def plain(patches: Tensor) -> Tensor:
    """Return uint8 patches as float32 in [0, 1], unchanged otherwise."""
    return patches.float().div_(255)


def symmetries(config: AugmentConfig, size: tuple[int, int]) -> Sequence[Symmetry]:
    """Return the symmetries that the augmentations make equally likely.

    Each is (quarter turns, mirrored). A network trained with them should not
    tell these copies of a patch apart, so their mean is a steadier answer than
    any one of them. Quarter turns need square patches.
    """
    turns = [0]
    if config.right_angles and config.flip_horizontal and config.flip_vertical:
        turns = [0, 1, 2, 3] if size[0] == size[1] else [0, 2]
    elif config.flip_horizontal and config.flip_vertical:
        turns = [0, 2]
    mirrors = [False, True] if config.flip_horizontal else [False]
    return [(turn, mirror) for turn in turns for mirror in mirrors]


def apply_symmetry(images: Tensor, symmetry: Symmetry) -> Tensor:
    """Turn and mirror ``(b, channel, height, width)`` images, without interpolation."""
    turns, mirrored = symmetry
    images = torch.rot90(images, turns, dims=(-2, -1)) if turns else images
    return images.flip(-1) if mirrored else images


def preview_views(
    patches: PatchSet,
    index: int,
    config: AugmentConfig,
    count: int,
    seed: int = 0,
    watch: Watch = UNWATCHED,
) -> np.ndarray:
    """Make views of one patch for people to look at; ``watch`` may end it between two.

    Returns
    -------
    ndarray of uint8, shape (count, height, width, 3)
        At training size; several channels are shown as in
        :meth:`PatchSet.thumbnail`.
    """
    size = patches.training_size()
    maker = ViewMaker(config, is_rgb=patches.is_rgb, fill=patches.border_colour(size))
    batch = torch.from_numpy(patches.pixels([index], size)).expand(count, -1, -1, -1)
    # Each view in a batch of its own, so that the order of the colour changes varies too.
    generator = torch.Generator().manual_seed(seed)
    made = []
    for one in batch:
        watch.check()
        made.append(maker(one[None], generator))
    views = torch.cat(made)
    pixels = views.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    return patches.picture(pixels)


def notes(config: AugmentConfig, patches: PatchSet) -> list[str]:
    """Say in sentences what the augmentations cannot do for these patches."""
    said = []
    if not patches.is_rgb and (config.jitter or config.grey):
        kind = "grey" if patches.channels == 1 else f"{patches.channels}-channel"
        said.append(
            f"Saturation, hue and grey need colour images and are left out for these {kind} "
            "patches."
        )
    height, width = patches.common_size
    if height != width and (config.right_angles or config.rotate):
        said.append(
            f"These patches are not square ({width} x {height}); turned views are cut, and "
            "their corners are filled with the mean border colour."
        )
    return said
