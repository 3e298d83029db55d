"""The pixels of a patch set at training size, read when they are wanted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from napari_patchmap.patches import PatchSet

#: Bytes that are read at a time where all pixels are wanted.
_PART = 1 << 27


class PatchPixels:
    """Looks like a uint8 tensor (n, channel, height, width) but holds no pixels.

    Indexing with a slice or a tensor of indices reads those patches, at training size,
    from the patch set (for large sets, from its cache on disk).
    """

    device = torch.device("cpu")

    def __init__(self, patches: PatchSet, size: tuple[int, int]) -> None:
        self._patches, self._size = patches, size

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """As that of the tensor."""
        return (len(self), self._patches.channels, *self._size)

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels."""
        count, channels, height, width = self.shape
        return count * channels * height * width

    def __len__(self) -> int:
        return len(self._patches)

    def __getitem__(self, chosen: slice | Tensor) -> Tensor:
        if isinstance(chosen, slice):
            indices = np.arange(*chosen.indices(len(self)))
        else:
            indices = chosen.cpu().numpy()
        return torch.from_numpy(self._patches.pixels(indices, self._size))


#: Pixels in memory, or read when wanted.
Pixels = Tensor | PatchPixels


def in_memory(pixels: PatchPixels, device: torch.device, watch: Callable[[], None]) -> Tensor:
    """Read all pixels onto a device, which has each of them once.

    ``watch`` is called now and then; it may raise to end.

    Returns
    -------
    Tensor of uint8, shape (n, channel, height, width)
    """
    held = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
    rows = max(1, _PART * len(pixels) // pixels.nbytes)
    for start in range(0, len(pixels), rows):
        part = slice(start, start + rows)
        # Channels come last from the disk; they are brought forward on the device.
        held[part] = pixels[part].to(device)
        watch()
    return held


def spread(pixels: Pixels, most: int) -> Tensor:
    """Return some patches from all over a set, at most so many."""
    chosen = torch.linspace(0, len(pixels) - 1, min(most, len(pixels))).round().long()
    return pixels[chosen.to(pixels.device)]
