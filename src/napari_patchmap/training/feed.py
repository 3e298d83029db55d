"""The order in which patches are trained, and their pixels, ready when a step wants them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from napari_patchmap.find.sampling import shares
from napari_patchmap.networks.pixels import PatchPixels, Pixels

#: Batches that are read ahead of the steps.
_AHEAD = 3

#: Seconds after which a waiting thread looks whether it is still wanted.
_LOOK = 0.1

#: A batch: indices on the CPU, and pixels on the training device, those of all of it or of
#: this process's share.
Fed = tuple[Tensor, Tensor]

#: Which of so many patches of a batch are a process's own, as ``Ranks.share`` says it.
Share = Callable[[int], slice]


class Batches:
    """An endless stream of shuffled batches, each patch once an epoch.

    Every batch is full, so that every step sees as many negatives: patches that
    are left over at the end of an epoch open the next one. Where there are fewer patches,
    the batch is smaller. The order follows from the seed, on any device.
    """

    def __init__(self, patches: int, batch_size: int, seed: int) -> None:
        self.patches = patches
        self.batch_size = min(batch_size, patches)
        self._generator = torch.Generator().manual_seed(seed)
        self._order = self._shuffle()
        self._next = 0

    def draw(self) -> Tensor:
        """Return the indices of the next batch, int64 on the CPU, shape (batch_size,)."""
        end = self._next + self.batch_size
        if end <= self.patches:
            batch = self._order[self._next : end]
            self._next = end
            return batch
        rest = self._order[self._next :]
        self._order = self._shuffle()
        self._next = self.batch_size - len(rest)
        # A patch must not meet itself as a negative: those of the rest go to the
        # end of the new order.
        again = torch.isin(self._order, rest)
        self._order = torch.cat([self._order[~again], self._order[again]])
        return torch.cat([rest, self._order[: self._next]])

    def skip(self, batches: int) -> None:
        """Go on as if so many batches had been drawn."""
        for _ in range(batches):
            self.draw()

    def _shuffle(self) -> Tensor:
        return torch.randperm(self.patches, generator=self._generator)


class BalancedBatches(Batches):
    """Batches with the same number of patches of each group, shuffled within each.

    Groups that are too small for their share are in each batch as a whole, and the others
    take what is left. So a rare kind is one of the negatives as often as a frequent one, as
    by sampling from clusters (negative mining: Ciga, Xu and Martel, "Self supervised
    contrastive learning for digital histopathology", 2022, section 5.3).

    Parameters
    ----------
    groups : ndarray of int, shape (n,)
        Group of each patch, from 0, each with one patch or more.
    batch_size, seed : int
        Not fewer patches than groups.
    """

    def __init__(self, groups: np.ndarray, batch_size: int, seed: int) -> None:
        super().__init__(len(groups), batch_size, seed)
        sizes = np.bincount(groups)
        order = torch.from_numpy(np.argsort(groups, kind="stable"))
        self._members = order.split(sizes.tolist())
        self._streams = [
            Batches(int(size), int(share), seed + at)
            for at, (size, share) in enumerate(
                zip(sizes, shares(sizes, self.batch_size, False), strict=True)
            )
        ]

    def draw(self) -> Tensor:
        """Return the indices of the next batch, in no order, as those of :class:`Batches`."""
        drawn = zip(self._members, self._streams, strict=True)
        batch = torch.cat([members[stream.draw()] for members, stream in drawn])
        return batch[torch.randperm(len(batch), generator=self._generator)]


class SomeBatches(Batches):
    """Batches of some rows (m,) of a set, drawn as others draw from 0 to m."""

    def __init__(self, batches: Batches, rows: Tensor) -> None:
        self.patches, self.batch_size = batches.patches, batches.batch_size
        self._batches, self._rows = batches, rows

    def draw(self) -> Tensor:
        """Return the indices of the next batch among the whole set."""
        return self._rows[self._batches.draw()]


@contextmanager
def feed(
    batches: Batches, pixels: Pixels, device: torch.device, share: Share = slice
) -> Iterator[Iterator[Fed]]:
    """Give an endless iterator of batches; while it is used, the next ones are read.

    Pixels are those of a share of each batch alone, by default of all of it.

    Pixels that lie on the device are indexed there. Others are read in a thread
    of their own, so that reading, copying and computing overlap.
    """
    if not isinstance(pixels, PatchPixels):
        yield _indexed(batches, pixels, share)
        return
    reader = _Reader(batches, pixels, device, share)
    try:
        yield reader.batches()
    finally:
        reader.close()


def _indexed(batches: Batches, pixels: Tensor, share: Share) -> Iterator[Fed]:
    while True:
        chosen = batches.draw()
        yield chosen, pixels[to_device(chosen[share(len(chosen))], pixels.device)]


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy to a device without waiting for it."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


class _Reader:
    """Reads batches in a thread and keeps a few of them.

    A daemon, which those of an executor are not: a process does not wait at its end for
    a drive that does not answer.
    """

    def __init__(
        self, batches: Batches, pixels: PatchPixels, device: torch.device, share: Share
    ) -> None:
        self._batches, self._pixels = batches, pixels
        self._device, self._share = device, share
        self._ready: queue.Queue[tuple[Tensor, Tensor] | Exception] = queue.Queue(_AHEAD)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="patchmap-feed", daemon=True)
        self._thread.start()

    def batches(self) -> Iterator[Fed]:
        while True:
            item = self._ready.get()
            if isinstance(item, Exception):
                raise item
            chosen, pixels = item
            # Channels come last from the disk; they are brought forward on the device.
            yield chosen, pixels.to(self._device, non_blocking=True).contiguous()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._closed.is_set():
            item: tuple[Tensor, Tensor] | Exception
            try:
                chosen = self._batches.draw()
                read = self._pixels[chosen[self._share(len(chosen))]]
                item = chosen, read.pin_memory() if self._device.type == "cuda" else read
            except Exception as error:  # noqa: BLE001 - it is raised where the batch is wanted
                item = error
            while not self._closed.is_set():
                try:
                    self._ready.put(item, timeout=_LOOK)
                    break
                except queue.Full:
                    continue
            if isinstance(item, Exception):
                return
