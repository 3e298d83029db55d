"""Many image files to one array, decoded by all cores at once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import GREY, RGB
from napari_patchmap.patches.decode import Decoded, decode
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.source import Watch

#: Files a thread reads before it reports: large enough to hide the overhead of a task.
_CHUNK = 128

#: How many files are looked at to learn the usual shape.
_PROBES = 16


class Pile:
    """Files decoded in order: those of the usual shape into one array, the others beside it.

    Parameters
    ----------
    paths : sequence of str
    axes : str
        Axes of each TIFF file, or ``"auto"``.

    Attributes
    ----------
    reasons : dict of int to str
        Why a file cannot be used, by its index.
    """

    def __init__(self, paths: Sequence[str], axes: str) -> None:
        self._paths = paths
        self._axes = axes
        self._usual = _room(paths, axes)
        self._odd: dict[int, np.ndarray] = {}
        self._kinds: list[tuple[str, ...]] = [()] * len(paths)
        self._notes: dict[int, tuple[str, ...]] = {}
        self.reasons: dict[int, str] = {}

    def decode(self, watch: Watch) -> None:
        """Decode every file; what cannot be decoded gets a reason.

        Raises
        ------
        LoadCancelled
        """
        count = len(self._paths)
        parts = [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
        with ThreadPoolExecutor(_threads()) as pool:
            waiting = [pool.submit(self._decode_part, part) for part in parts]
            try:
                for part, future in zip(parts, waiting, strict=True):
                    future.result()
                    watch.step(part.stop, count)
            finally:
                pool.shutdown(cancel_futures=True)

    def _decode_part(self, part: range) -> None:
        """Decode some files; threads write to different rows and keys only."""
        usual, shape, dtype = self._usual, self._usual.shape[1:], self._usual.dtype
        for i in part:
            result = try_decode(self._paths[i], self._axes)
            if isinstance(result, str):
                self.reasons[i] = result
                continue
            pixels, self._kinds[i], notes = result
            if pixels.shape == shape and pixels.dtype == dtype:
                usual[i] = pixels
            else:
                self._odd[i] = pixels
            if notes:
                self._notes[i] = notes

    def agree(self, names: Sequence[str], where: str) -> tuple[tuple[str, ...], list[str]]:
        """Return the channels that all images can have, and notes for the user.

        Grey images among colour ones are repeated to red, green and blue;
        anything else cannot be mixed without guessing.

        Raises
        ------
        PatchError
            If pixel types or channels differ.
        """
        said = Counter(note for notes in self._notes.values() for note in notes)
        notes = [f"{note} ({count:,} images)" for note, count in said.items()]
        good = [i for i in range(len(self._paths)) if i not in self.reasons]
        types: dict[str, list[int]] = {}
        kinds: dict[tuple[str, ...], list[int]] = {}
        usual = self._usual.dtype.name
        for i in good:
            name = self._odd[i].dtype.name if i in self._odd else usual
            types.setdefault(name, []).append(i)
            kinds.setdefault(self._kinds[i], []).append(i)
        if len(types) > 1:
            raise PatchError(
                f"The images in {where} have different pixel types ({_listed(types, names)}); "
                "convert them to one type or move them to folders of their own."
            )
        if len(kinds) == 1:
            return self._kinds[good[0]], notes
        if set(kinds) == {GREY, RGB}:
            notes.append(
                f"{len(kinds[GREY]):,} grey images among colour ones were repeated to RGB."
            )
            return RGB, notes
        listed = _listed({" + ".join(kind): rows for kind, rows in kinds.items()}, names)
        raise PatchError(
            f"The images in {where} have different channels ({listed}); move them to folders "
            "of their own."
        )

    def gather(self, channels: int) -> Images:
        """Return the images in order, in one array if their sizes agree."""
        good = [i for i in range(len(self._paths)) if i not in self.reasons]
        usual = self._usual
        if self._odd and usual.shape[-1] != channels:  # grey is usual, but some are in colour
            usual = np.repeat(usual, channels, axis=-1)
        odd = {
            i: np.broadcast_to(pixels, (*pixels.shape[:2], channels))
            for i, pixels in self._odd.items()
        }
        if any(pixels.shape != usual.shape[1:] for pixels in odd.values()):
            return [odd[i] if i in odd else usual[i] for i in good]
        # Close the gaps of the files left out, in place: the array may be large.
        for row, i in enumerate(good):
            if i in odd:
                usual[row] = odd[i]
            elif i != row:
                usual[row] = usual[i]
        return usual[: len(good)]


def try_decode(path: str, axes: str) -> Decoded | str:
    """Decode one file, or say in a few words why that cannot be done."""
    try:
        return decode(path, axes)
    except PatchError as error:
        return str(error)
    except OSError as error:
        return f"cannot be opened ({error.strerror or error})"
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything on a damaged file
        return f"is damaged ({str(error).strip() or type(error).__name__})"


def _room(paths: Sequence[str], axes: str) -> np.ndarray:
    """Make one array for all images of the usual shape; memory is used as it is filled."""
    spread = np.unique(np.linspace(0, len(paths) - 1, _PROBES).astype(int))
    probes = [try_decode(paths[i], axes) for i in spread]
    shapes = Counter((p.pixels.shape, p.pixels.dtype) for p in probes if isinstance(p, Decoded))
    if not shapes:
        return np.empty((len(paths), 0, 0, 1), np.uint8)
    (shape, dtype), _ = shapes.most_common(1)[0]
    try:
        return np.empty((len(paths), *shape), dtype)
    except MemoryError:
        size = len(paths) * dtype.itemsize * np.prod(shape, dtype=float) / 2**30
        raise PatchError(
            f"{len(paths):,} images of {shape[1]} x {shape[0]} pixels need {size:,.0f} GB of "
            "memory; make them smaller or choose fewer."
        ) from None


def _threads() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _listed(groups: dict[str, list[int]], names: Sequence[str]) -> str:
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))[:3]
    return ", ".join(
        f"{len(rows):,} of {kind} such as {names[rows[0]]}" for kind, rows in ordered
    )
