"""Pictures of patches for Qt: read in the background, never while the window paints."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from psygnal import Signal
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QColor, QImage, QPixmap
from qtpy.QtWidgets import QWidget

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.pictures import no_picture
from napari_patchmap.plugin.worker import Task, sentence_of

#: Patches in memory of at most as many bytes are shown at once: a fraction of a millisecond.
_AT_ONCE = 2**16

#: Pixels of the pictures that are kept, 128 MB: several times what a screen shows.
_MOST = 2**25

#: Seconds after which a picture that could not be read is asked for again.
_AGAIN = 10.0

#: Makes the picture of a patch, uint8 RGB, of a longer side in pixels; called in one thread.
Lens = Callable[[int, int], np.ndarray]

#: What is painted until a picture is there; it suits light and dark windows.
_QUIET = QColor(128, 128, 128, 56)


class Thumbnails:
    """Thumbnails of one patch set, the latest ones kept.

    What is asked for while the window paints is read in another thread, in the order in
    which it was asked for, and something quiet of the same size stands for it. Only what
    was asked for last is read: whoever is still in view paints again when pictures come,
    and asks again. So what has scrolled away is not read, and what came into view is first.

    Parameters
    ----------
    window : QWidget
        When it goes, nothing is read any more.
    most : int
        Pixels of the pictures that are kept.

    Signals
    -------
    arrived(frozenset of int)
        Pictures of these patches are there: time to paint again where they are shown.
    """

    arrived = Signal(object)

    def __init__(self, window: QWidget, most: int = _MOST) -> None:
        self._patches: PatchSet | None = None
        self._lens: Lens | None = None
        self._made: Latest[QPixmap] = Latest(
            most, lambda picture: picture.width() * picture.height()
        )
        self._sizes: dict[int, int] = {}  # in which each patch was made last
        self._troubles: dict[int, str] = {}
        self._failed: dict[tuple[int, int], tuple[float, QPixmap]] = {}
        self._asked: dict[str, dict[tuple[int, int], None]] = {}
        self._reader: _Reader | None = None
        self._task: Task | None = None
        window.destroyed.connect(self._leave)

    def set_patches(self, patches: PatchSet | None) -> None:
        """Forget the pictures of other patches."""
        self._begin(patches, None)

    def set_lens(self, lens: Lens | None) -> None:
        """Show the patches as a lens shows them, read in the background; None as they are."""
        shown = frozenset(self._sizes)
        self._begin(self._patches, lens)
        self.arrived.emit(shown)

    def _begin(self, patches: PatchSet | None, lens: Lens | None) -> None:
        self._leave()
        self._patches, self._lens = patches, lens
        self._reader = None if patches is None else _Reader(patches, lens)
        self._made.clear()
        for kept in (self._sizes, self._troubles, self._failed, self._asked):
            kept.clear()

    def get(self, index: int, side: int, ratio: float = 1.0, asker: str = "") -> QPixmap:
        """Return patch ``index``, ``side`` pixels long on a screen of that pixel ratio.

        At once: what stands for it, of the same size, until it has been read. All that one
        ``asker`` asks for while the window paints replaces what it asked for before.
        """
        patches, pixels = self._patches, round(side * ratio)
        assert patches is not None
        picture = self._find(index, pixels)
        if picture is None and self._is_quick(patches, index):
            picture = self._keep(index, pixels, *_read(patches, index, pixels, None))
        if picture is None:
            if not self._asked:
                QTimer.singleShot(0, self._send)  # all that is painted now is sent together
            self._asked.setdefault(asker, {})[index, pixels] = None
            picture = self._in_place_of(patches, index, pixels)
        picture.setDevicePixelRatio(ratio)
        return picture

    def _find(self, index: int, pixels: int) -> QPixmap | None:
        """Return a picture that is there; what could not be read is tried again later."""
        until, cross = self._failed.get((index, pixels), (0.0, None))
        return cross if time.monotonic() < until else self._made.find((index, pixels))

    def forget(self, asker: str) -> None:
        """Read no more of what was asked for by one who shows nothing now."""
        self._asked.pop(asker, None)
        if self._reader is not None:
            self._reader.wish(asker, ())

    def trouble(self, index: int) -> str:
        """Why the picture of a patch could not be read, "" if it could as far as is known."""
        return self._troubles.get(index, "")

    def _is_quick(self, patches: PatchSet, index: int) -> bool:
        if self._lens is not None:
            return patches.is_missing(index)
        height, width = patches.images.sizes[index].tolist()
        small = height * width * patches.channels * patches.dtype.itemsize <= _AT_ONCE
        return (patches.images.in_memory and small) or patches.is_missing(index)

    def _in_place_of(self, patches: PatchSet, index: int, pixels: int) -> QPixmap:
        """Return the same picture of another size, or else nothing but a tint."""
        height, width = patches.thumbnail_size(index, pixels)
        other = self._made.find((index, self._sizes.get(index, 0)))
        if other is not None:
            whole, smooth = (
                Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            return other.scaled(width, height, whole, smooth)
        tint = QPixmap(width, height)
        tint.fill(_QUIET)
        return tint

    def _keep(self, index: int, pixels: int, rgb: np.ndarray, trouble: str) -> QPixmap:
        self._sizes[index] = pixels
        picture = to_pixmap(rgb)
        self._failed.pop((index, pixels), None)
        self._troubles.pop(index, None)
        if not trouble:
            return self._made.get((index, pixels), lambda: picture)
        self._troubles[index] = trouble
        self._failed[index, pixels] = time.monotonic() + _AGAIN, picture
        return picture

    # -- what is read in the background --------------------------------------------------

    def _send(self) -> None:
        asked, self._asked = self._asked, {}
        for asker, wanted in asked.items():
            missing = [one for one in wanted if self._find(*one) is None]
            if self._reader is not None and missing:
                self._reader.wish(asker, missing)
                self._go_on()

    def _go_on(self) -> None:
        reader = self._reader
        if self._task is None and reader is not None and reader.waiting:
            self._task = Task(reader, "Reading pictures", listed=False)
            self._task.reported.connect(partial(self._on_read, reader))
            self._task.ended.connect(partial(self._on_ended, reader))
            self._task.start()

    def _on_read(self, reader: _Reader, found: list[tuple[int, int, np.ndarray, str]]) -> None:
        if reader is self._reader:  # else of patches that have gone
            for one in found:
                self._keep(*one)
            reader.delivered([(index, pixels) for index, pixels, *_ in found])
            self.arrived.emit(frozenset(index for index, *_ in found))

    def _on_ended(self, reader: _Reader) -> None:
        if reader is self._reader and self._task is not None:
            self._task = None
            self._go_on()

    def _leave(self, _: object = None) -> None:
        if self._task is not None:
            self._task.leave()
        self._task = self._reader = None


class _Reader:
    """Reads the pictures of one set that are wished for, until none is.

    Knows nothing of Qt, since it is called, and may be let go, in another thread.
    """

    def __init__(self, patches: PatchSet, lens: Lens | None) -> None:
        self._patches, self._lens = patches, lens
        self._lock = threading.Lock()
        self._wishes: dict[str, dict[tuple[int, int], None]] = {}  # who asked last, last
        self._on_the_way: set[tuple[int, int]] = set()

    @property
    def waiting(self) -> bool:
        """Whether something is wished for."""
        with self._lock:
            return any(self._wishes.values())

    def wish(self, asker: str, wanted: Sequence[tuple[int, int]]) -> None:
        """Read for one who asks these pictures, (patch, longer side), in this order."""
        with self._lock:
            self._wishes.pop(asker, None)
            self._wishes[asker] = {one: None for one in wanted if one not in self._on_the_way}

    def delivered(self, pictures: Sequence[tuple[int, int]]) -> None:
        """Take note of pictures that have arrived."""
        with self._lock:
            self._on_the_way.difference_update(pictures)
            for wishes in self._wishes.values():  # of others who wished for the same
                for one in pictures:
                    wishes.pop(one, None)

    def _next(self) -> tuple[int, int] | None:
        with self._lock:
            while self._wishes:
                asker = next(reversed(self._wishes))
                for wanted in list(self._wishes[asker]):
                    del self._wishes[asker][wanted]
                    if wanted not in self._on_the_way:
                        self._on_the_way.add(wanted)
                        return wanted
                del self._wishes[asker]
            return None

    def __call__(self, task: Task) -> None:
        while not task.should_leave() and (wanted := self._next()) is not None:
            task.report((*wanted, *_read(self._patches, *wanted, self._lens)))


def _read(
    patches: PatchSet, index: int, pixels: int, lens: Lens | None
) -> tuple[np.ndarray, str]:
    """Return a picture, or what stands for one and why it could not be read."""
    try:
        make = patches.thumbnail if lens is None else lens
        return make(index, pixels), ""
    except Exception as error:  # noqa: BLE001 - said where the picture is looked at
        return no_picture(*patches.thumbnail_size(index, pixels)), sentence_of(error)


def to_image(rgb: np.ndarray) -> QImage:
    """Copy ``(height, width, 3)`` uint8 pixels into a Qt image."""
    pixels = np.ascontiguousarray(rgb, dtype=np.uint8)
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def to_pixmap(rgb: np.ndarray) -> QPixmap:
    """Turn a ``(height, width, 3)`` uint8 picture into a pixmap."""
    return QPixmap.fromImage(to_image(rgb))
