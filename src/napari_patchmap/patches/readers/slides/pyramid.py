"""What every slide can do: levels that are read box by box, and a small picture of it all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import RGB
from napari_patchmap.patches.fit import resize
from napari_patchmap.patches.intensity import Intensity
from napari_patchmap.patches.pictures import as_rgb
from napari_patchmap.patches.threads import cores
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Side in pixels of the smallest box in which a damaged place is looked for.
_DAMAGED = 128

#: Pixels of a slide that are shrunk in one go, by a thread.
_BLOCK = (512, 4096)


@dataclass(frozen=True)
class Level:
    """One copy of a slide: its size, and how many level-0 pixels one of its pixels spans."""

    height: int
    width: int
    downsample: float


class Pyramid(ABC):
    """An image far larger than memory, with smaller copies of itself, read part by part.

    Safe to be read from several threads at once.

    Attributes
    ----------
    path : Path
    levels : list of Level
        From the full resolution (level 0) to the smallest.
    dtype : numpy.dtype
    channels : int
    channel_names : tuple of str
        ``("red", "green", "blue")`` marks a colour slide.
    mpp : float or None
        Micrometres per pixel at level 0.
    magnification : float or None
        Of the objective at level 0, 20 say.
    derived : bool
        Whether one of these two was worked out from the other (0.5 micrometres are 20x).
    damage : str
        What the first damaged place was that :meth:`shrunk` came upon, "" if none.
    """

    path: Path
    levels: list[Level]
    dtype: np.dtype
    channels: int
    channel_names: tuple[str, ...]
    mpp: float | None = None
    magnification: float | None = None
    derived = False
    damage = ""

    @property
    def is_rgb(self) -> bool:
        """Whether this is a colour slide, such as a stained section in bright field."""
        return self.channel_names == RGB

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels at full resolution."""
        return self.levels[0].height, self.levels[0].width

    @property
    def files(self) -> list[tuple[str, Path]]:
        """What changes when the slide does, by names in it; "" is the slide itself."""
        return [("", self.path)]

    @property
    def _blank(self) -> int:
        """What pixels hold where there are none."""
        if not self.is_rgb:
            return 0
        return int(np.iinfo(self.dtype).max) if self.dtype.kind in "ui" else 1

    def close(self) -> None:  # noqa: B027 - some hold nothing open
        """Close the file; reading ends here."""

    def read(self, level: int, y: int, x: int, height: int, width: int) -> np.ndarray:
        """Read a box of one level.

        Parameters
        ----------
        level : int
            Index in :attr:`levels`.
        y, x, height, width : int
            Box in pixels of that level. What lies outside of the slide is white
            in a colour slide, else 0.

        Returns
        -------
        ndarray of dtype, shape (height, width, channels)

        Raises
        ------
        PatchError
            One sentence that names the slide and the place, if that part is damaged.
        """
        size = self.levels[level]
        out = np.full((height, width, self.channels), self._blank, self.dtype)
        top, left = max(y, 0), max(x, 0)
        bottom, right = min(y + height, size.height), min(x + width, size.width)
        if top < bottom and left < right:
            inside = out[top - y : bottom - y, left - x : right - x]
            try:
                self._fill(level, top, left, inside)
            except Exception as error:  # noqa: BLE001 - decoders raise anything on damaged data
                where = f"y {top * size.downsample:.0f}, x {left * size.downsample:.0f}"
                reason = str(error).strip().partition("\n")[0] or type(error).__name__
                raise PatchError(
                    f"{self.path} is damaged near {where} ({reason}); copy or export it again."
                ) from None
        return out

    @abstractmethod
    def _fill(self, level: int, y: int, x: int, out: np.ndarray) -> None:
        """Copy the pixels at ``y``, ``x`` of a level, all inside, into ``out``."""

    def shrunk(self, longest: int, watch: Watch = UNWATCHED) -> tuple[np.ndarray, float]:
        """Read the whole slide small, without holding it in memory.

        What is damaged stays blank, and :attr:`damage` says so.

        Parameters
        ----------
        longest : int
            Longer side of the result at most, in pixels.
        watch : Watch, optional
            Told how many of how many parts are read.

        Returns
        -------
        pixels : ndarray of dtype, shape (height, width, channels)
        scale : float
            Level-0 pixels that one of them spans.
        """
        level = max(
            (i for i, one in enumerate(self.levels) if max(one.height, one.width) >= longest),
            default=0,
        )
        size = self.levels[level]
        k = max(1, -(-max(size.height, size.width) // longest))
        tall, wide = (k * max(1, side // k) for side in _BLOCK)
        rows, columns = -(-size.height // k), -(-size.width // k)
        out = np.full((rows, columns, self.channels), self._blank, self.dtype)

        def shrink(y: int, x: int, height: int, width: int) -> None:
            height, width = min(height, size.height - y), min(width, size.width - x)
            try:
                small = _mean_of_blocks(self.read(level, y, x, height, width), k)
            except PatchError as error:
                self.damage = self.damage or str(error)
                # Only the damaged place stays blank: halves of halves of the block.
                longer = max(height, width)
                if longer > max(k, _DAMAGED):
                    half = max(1, longer // 2 // k) * k
                    if height == longer:
                        shrink(y, x, half, width)
                        shrink(y + half, x, height - half, width)
                    else:
                        shrink(y, x, height, half)
                        shrink(y, x + half, height, width - half)
                return
            out[y // k : y // k + len(small), x // k : x // k + small.shape[1]] = small

        corners = [
            (y, x) for y in range(0, size.height, tall) for x in range(0, size.width, wide)
        ]
        with ThreadPoolExecutor(min(8, cores())) as pool:
            jobs = [pool.submit(shrink, y, x, tall, wide) for y, x in corners]
            try:
                for done, job in enumerate(jobs, 1):
                    job.result()
                    watch.step(done, len(jobs))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return out, size.downsample * k

    def overview(self, longest: int = 2048) -> np.ndarray:
        """Return a small RGB picture, uint8 (height, width, 3), for people."""
        return picture(self.shrunk(longest)[0], self.is_rgb)


def picture(pixels: np.ndarray, colour: bool, longest: int | None = None) -> np.ndarray:
    """Show ``(height, width, channel)`` pixels as uint8 RGB, at most ``longest`` long."""
    rgb = look_of(pixels, colour)(pixels)
    scale = min(1.0, (longest or max(rgb.shape)) / max(rgb.shape[:2]))
    size = max(1, round(rgb.shape[0] * scale)), max(1, round(rgb.shape[1] * scale))
    return resize(rgb[None], size)[0]


def look_of(pixels: np.ndarray, colour: bool) -> Callable[[np.ndarray], np.ndarray]:
    """Return what shows pixels such as these, ``(height, width, channel)``, as uint8 RGB.

    What is dim is brightened; ``colour`` says that the channels are red, green and blue.
    """
    channels = pixels.shape[2]
    stored = Intensity.measure([pixels], pixels.dtype, channels)
    seen = Intensity.for_eyes([stored.to_uint8(pixels)], channels, colour)
    return lambda box: as_rgb(seen.to_uint8(stored.to_uint8(box)))


def _mean_of_blocks(pixels: np.ndarray, k: int) -> np.ndarray:
    """Average ``k`` x ``k`` pixels; at the border, what there is."""
    if k == 1:
        return pixels
    height, width, channels = pixels.shape
    edge = ((0, -height % k), (0, -width % k), (0, 0))
    if edge[0][1] or edge[1][1]:
        pixels = np.pad(pixels, edge, mode="edge")
    rows, columns = len(pixels) // k, pixels.shape[1] // k
    # Rows first: long sums of neighbours in memory are the fast ones.
    total = pixels.reshape(rows, k, columns * k * channels).sum(axis=1, dtype=np.float32)
    mean = total.reshape(rows, columns, k, channels).mean(axis=2) / k
    return (np.rint(mean) if pixels.dtype.kind in "ui" else mean).astype(pixels.dtype)
