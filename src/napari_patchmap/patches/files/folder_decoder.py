"""Many image files to one set of images, decoded by all cores into the cache."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.foreign import words
from napari_patchmap.patches.axes import GREY, RGB
from napari_patchmap.patches.cache.building import building_folder, look_up, remember
from napari_patchmap.patches.cache.cache_folder import PIXELS, cache_folder
from napari_patchmap.patches.cache.store import Pixels, StoredImages, index_rows
from napari_patchmap.patches.files.decode import Decoded, Digest, decode
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.threads import Pieces, in_threads
from napari_patchmap.patches.watch import Watch

#: Files a thread reads before it reports, and at most bytes of them that wait to be
#: written: large enough to hide the overhead.
_CHUNK, _WAITING = 128, 4_000_000

#: How many files are looked at to learn how much space they need.
_PROBES = 16


@dataclass(frozen=True)
class Decodings:
    """The images of a folder that could be decoded.

    Attributes
    ----------
    images : Images
    kept : ndarray of int, shape (n,)
        Which files these are.
    reasons : dict of int to str
        Why each of the others could not.
    """

    images: Images
    kept: np.ndarray
    reasons: dict[int, str]


class _Contents:
    """Digests many short pieces at once: one by one, threads would wait for each other."""

    def __init__(self) -> None:
        self._digest, self._pieces = hashlib.sha256(), list[Any]()
        self.waiting = 0  # bytes that were not taken in yet

    def update(self, piece: Any) -> None:
        self._pieces.append(piece)
        self.waiting += memoryview(piece).nbytes

    def digest(self) -> bytes:
        """Digest what came so far; the pieces are let go."""
        self._digest.update(b"".join(self._pieces))
        self._pieces.clear()
        self.waiting = 0
        return self._digest.digest()


class FolderDecoder:
    """Files decoded in order, of any size, that must agree in pixel type and channels.

    Parameters
    ----------
    paths : sequence of str
    names : sequence of str
        What people call them.
    where : str
        The folder that holds them.
    axes : str
        Axes of each TIFF file, or ``"auto"``.

    Attributes
    ----------
    channel_names : tuple of str
    notes : list of str
        What the user should know, once they were decoded.
    """

    def __init__(
        self, paths: Sequence[str], names: Sequence[str], where: str, axes: str
    ) -> None:
        self._paths, self._names, self._where, self._axes = paths, names, where, axes
        count = len(paths)
        self._unusable: dict[int, UnusableError] = {}
        self._offsets = np.zeros(count, np.int64)
        self._shapes = np.zeros((count, 3), np.int64)
        self._types: list[str] = [""] * count
        self._kinds: list[tuple[str, ...]] = [()] * count
        self._said: dict[int, tuple[str, ...]] = {}
        self._digests: dict[int, bytes] = {}
        self.channel_names: tuple[str, ...] = ()
        self.notes: list[str] = []

    def decode(self, fingerprint: str, watch: Watch) -> Decodings:
        """Decode every file, or find what was decoded before.

        Raises
        ------
        PatchError
            If none can be decoded, they do not agree, or there is no room.
        LoadCancelled
        """
        found = look_up(fingerprint)
        if found is not None:
            watch.step(len(self._paths), len(self._paths))
            images, notes = found
            self._unusable = {int(i): UnusableError(why) for i, why in notes["reasons"]}
            self.channel_names, self.notes = tuple(notes["channel_names"]), notes["notes"]
            return Decodings(images, self._good(), self._reasons())
        expected = self._expected(watch)
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(building_folder(expected))
                pixels = Pixels(RandomFile(folder / PIXELS, writable=True), expected)
            except OSError as error:
                folder, pixels = None, Pixels(None, expected, error.strerror or str(error))
            images = self._decode_all(pixels, watch)
            if folder is not None and not pixels.trouble:
                try:
                    images.save(folder)
                except OSError as error:
                    pixels.trouble = error.strerror or str(error)
            good, reasons = self._good(), self._reasons()
            if pixels.trouble:
                images.leave_disk()
                self.notes.append(
                    f"The cache {cache_folder()} could not be used ({pixels.trouble}); the "
                    "patches are kept in memory this time."
                )
                return Decodings(images, good, reasons)
            assert folder is not None
            key = self._content_key(images)
            del images, pixels  # Windows moves no folder of open files
            saved: dict[str, Any] = {
                "reasons": sorted(reasons.items()),
                "channel_names": self.channel_names,
                "notes": self.notes,
            }
            return Decodings(remember(fingerprint, key, folder, saved), good, reasons)

    def _decode_all(self, pixels: Pixels, watch: Watch) -> StoredImages:
        in_threads(
            lambda part: self._decode_part(part, pixels), len(self._paths), _CHUNK, watch
        )
        self._agree()
        good = self._good()
        index = index_rows(self._offsets[good], self._shapes[good])
        return StoredImages(
            pixels, index, np.dtype(self._types[good[0]]), len(self.channel_names)
        )

    def _decode_part(self, part: Pieces, pixels: Pixels) -> None:
        """Decode some files; threads write to different rows and keys only."""
        good: list[int] = []
        patches: list[np.ndarray] = []
        contents, waiting = _Contents(), 0

        def write() -> None:
            if good:
                self._offsets[good] = pixels.append(patches)
            self._digests[part.start] = contents.digest()
            good.clear()
            patches.clear()

        for i in part:
            result = try_decode(self._paths[i], self._axes, contents)
            if isinstance(result, UnusableError):
                self._unusable[i] = result
            else:
                patch, self._kinds[i], notes = result
                self._shapes[i], self._types[i] = patch.shape, patch.dtype.str
                if notes:
                    self._said[i] = notes
                good.append(i)
                patches.append(np.ascontiguousarray(patch))
                waiting += patch.nbytes
            if waiting + contents.waiting > _WAITING:
                write()
                waiting = 0
        write()

    def _content_key(self, images: StoredImages) -> str:
        """Name a store by the content of its files, the shapes and the pixel type."""
        digest = hashlib.sha256(images.dtype.str.encode())
        for start in sorted(self._digests):
            digest.update(self._digests[start])
        for name in ("height", "width", "channels"):
            digest.update(images.index[name].tobytes())
        return digest.hexdigest()[:40]

    def _good(self) -> np.ndarray:
        return np.setdiff1d(np.arange(len(self._paths)), list(self._unusable))

    def _reasons(self) -> dict[int, str]:
        return {i: str(error) for i, error in self._unusable.items()}

    def _expected(self, watch: Watch) -> int:
        """Guess the bytes of all images from a few."""
        count = len(self._paths)
        spread = np.unique(np.linspace(0, count - 1, _PROBES).astype(int))
        sizes: list[int] = []

        def probe(part: Pieces) -> None:
            for k in part:
                found = try_decode(self._paths[spread[k]], self._axes)
                if isinstance(found, Decoded):
                    sizes.append(found.pixels.nbytes)

        in_threads(probe, len(spread), 1, Watch(lambda *_: watch.step(0, 0)))
        return int(count * np.mean(sizes)) if sizes else 0

    def _agree(self) -> None:
        """Find the channels that all images can have, and what to tell the user.

        Grey images among colour ones are repeated to red, green and blue;
        anything else cannot be mixed without guessing.
        """
        if len(self._unusable) == len(self._paths):
            first = self._unusable[0]
            remedy = "" if first.remedy else "; replace them by intact image files"
            raise PatchError(
                f"None of the {len(self._paths):,} images in {self._where} can be read "
                f"({self._names[0]} {first}){remedy}."
            )
        said = Counter(note for notes in self._said.values() for note in notes)
        self.notes = [f"{note} ({count:,} images)" for note, count in said.items()]
        types: dict[str, list[int]] = {}
        kinds: dict[tuple[str, ...], list[int]] = {}
        for i in self._good().tolist():
            types.setdefault(self._types[i], []).append(i)
            kinds.setdefault(self._kinds[i], []).append(i)
        if len(types) > 1:
            named = {np.dtype(kind).name: rows for kind, rows in types.items()}
            raise PatchError(
                f"The images in {self._where} have different pixel types "
                f"({self._listed(named)}); convert them to one type or move them to folders "
                "of their own."
            )
        if set(kinds) == {GREY, RGB}:
            self.channel_names = RGB
            self.notes.append(
                f"{len(kinds[GREY]):,} grey images among colour ones were repeated to RGB."
            )
        elif len(kinds) == 1:
            self.channel_names = next(iter(kinds))
        else:
            listed = self._listed({" + ".join(kind): rows for kind, rows in kinds.items()})
            raise PatchError(
                f"The images in {self._where} have different channels ({listed}); move them to "
                "folders of their own."
            )

    def _listed(self, groups: dict[str, list[int]]) -> str:
        ordered = sorted(groups.items(), key=lambda item: -len(item[1]))[:3]
        return ", ".join(
            f"{len(rows):,} of {kind} such as {self._names[rows[0]]}" for kind, rows in ordered
        )


def try_decode(
    path: str, axes: str, digest: Digest | None = None, *, numbers: bool = False
) -> Decoded | UnusableError:
    """Decode one file, or say why that cannot be done."""
    try:
        return decode(path, axes, digest, numbers=numbers)
    except UnusableError as error:
        # Without what it was raised from: that keeps the whole file in memory.
        return UnusableError(error.reason, error.remedy, error.readings)
    except PatchError as error:
        return UnusableError(str(error).removesuffix("."))
    except OSError as error:
        return UnusableError(f"cannot be opened ({error.strerror or error})")
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything on a damaged file
        return UnusableError(f"is damaged ({words(error)})")
