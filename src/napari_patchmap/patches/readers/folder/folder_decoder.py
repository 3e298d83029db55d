"""Many image files to one set of images, decoded by all cores into the cache."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.foreign import words
from napari_patchmap.patches.axes import GREY, RGB
from napari_patchmap.patches.cache.building import building_folder, look_up, remember
from napari_patchmap.patches.cache.cache_folder import PIXELS, cache_folder
from napari_patchmap.patches.cache.store import PixelFile, StoredImages, index_rows
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.readers.folder.decode import Decoded, decode
from napari_patchmap.patches.threads import Pieces, in_threads
from napari_patchmap.patches.watch import Watch

#: Files a thread reads before it reports, and at most bytes of them that wait to be
#: written: large enough to hide the overhead.
_CHUNK, _WAITING = 128, 4_000_000

#: How many files are looked at to learn how much space they need.
_PROBES = 16


class _Found(NamedTuple):
    """Where the pixels of a file are kept, and what is known of them."""

    offset: int
    shape: tuple[int, ...]
    dtype: str
    channel_names: tuple[str, ...]
    notes: tuple[str, ...]


class FolderDecoder:
    """Files decoded in order, of any size, that must agree in pixel type and channels.

    ``names`` are what people call them, ``where`` the folder that holds them, ``axes`` those of
    each TIFF file.
    """

    def __init__(
        self, paths: Sequence[str], names: Sequence[str], where: str, axes: str
    ) -> None:
        self._paths, self._names, self._where, self._axes = paths, names, where, axes
        self._found: dict[int, _Found] = {}
        self._unusable: dict[int, UnusableError] = {}
        self._digests: dict[int, bytes] = {}

    def decode(self, fingerprint: str, watch: Watch) -> tuple[Images, dict[str, Any]]:
        """Decode every file, or find what was decoded before.

        Returns
        -------
        images : Images
            Of the files that could be decoded.
        known : dict
            ``reasons``, pairs of a file's number and why it could not; ``channel_names``; and
            ``notes``.

        Raises
        ------
        PatchError
            If none can be decoded, they do not agree, or there is no room.
        LoadCancelled
        """
        images, known = look_up(fingerprint) or self._decode(fingerprint, watch)
        watch.step(len(self._paths), len(self._paths))
        return images, known

    def _decode(self, fingerprint: str, watch: Watch) -> tuple[StoredImages, dict[str, Any]]:
        """Decode every file into the cache; return the images and what is noted of them."""
        expected = self._expected(watch)
        with ExitStack() as stack:
            folder = None
            try:
                folder = stack.enter_context(building_folder(expected))
                pixels = PixelFile(RandomFile(folder / PIXELS, writable=True), expected)
            except OSError as error:
                pixels = PixelFile(None, expected, error.strerror or str(error))
            count = len(self._paths)
            in_threads(lambda part: self._decode_part(part, pixels), count, _CHUNK, watch)
            channel_names, notes = self._agree()
            reasons = [(i, str(error)) for i, error in sorted(self._unusable.items())]
            known = {"reasons": reasons, "channel_names": channel_names, "notes": notes}
            found = [one for _, one in sorted(self._found.items())]
            index = index_rows(
                np.array([one.offset for one in found]), np.array([one.shape for one in found])
            )
            images = StoredImages(pixels, index, np.dtype(found[0].dtype), len(channel_names))
            if folder is not None and images.save(folder):
                key = self._content_key(images)
                del images, pixels  # Windows moves no folder of open files
                return remember(fingerprint, key, folder, known), known
            images.leave_disk()
            notes.append(
                f"The cache {cache_folder()} could not be used ({pixels.trouble}); the patches "
                "are kept in memory this time."
            )
            return images, known

    def _decode_part(self, part: Pieces, pixels: PixelFile) -> None:
        """Decode some files; threads write to different keys only."""
        good: dict[int, Decoded] = {}
        # Digested many at once: one by one, threads would wait for each other.
        contents: list[Any] = []
        digest, waiting = hashlib.sha256(), 0

        def take_in(content: Any) -> None:
            nonlocal waiting
            contents.append(content)
            waiting += memoryview(content).nbytes

        def write() -> None:
            nonlocal waiting
            offsets = pixels.append([one.pixels for one in good.values()]).tolist()
            for (i, (patch, names, notes)), offset in zip(good.items(), offsets, strict=True):
                self._found[i] = _Found(offset, patch.shape, patch.dtype.str, names, notes)
            digest.update(b"".join(contents))
            good.clear()
            contents.clear()
            waiting = 0

        for i in part:
            result = try_decode(self._paths[i], self._axes, take_in)
            if isinstance(result, UnusableError):
                self._unusable[i] = result
            else:
                good[i] = result._replace(pixels=np.ascontiguousarray(result.pixels))
                waiting += result.pixels.nbytes
            if waiting > _WAITING:
                write()
        write()
        self._digests[part.start] = digest.digest()

    def _content_key(self, images: StoredImages) -> str:
        """Name a store by the content of its files, the shapes and the pixel type."""
        digest = hashlib.sha256(images.dtype.str.encode())
        for start in sorted(self._digests):
            digest.update(self._digests[start])
        for name in ("height", "width", "channels"):
            digest.update(images.index[name].tobytes())
        return digest.hexdigest()[:40]

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

    def _agree(self) -> tuple[tuple[str, ...], list[str]]:
        """Return the channels that all images can have, and what to tell the user.

        Grey images among colour ones are repeated to red, green and blue;
        anything else cannot be mixed without guessing.
        """
        if not self._found:
            first = self._unusable[0]
            remedy = "" if first.remedy else "; replace them by intact image files"
            raise PatchError(
                f"None of the {len(self._paths):,} images in {self._where} can be read "
                f"({self._names[0]} {first}){remedy}."
            )
        said = Counter[str]()
        types: dict[str, list[int]] = {}
        kinds: dict[tuple[str, ...], list[int]] = {}
        for i, one in sorted(self._found.items()):
            said.update(one.notes)
            types.setdefault(one.dtype, []).append(i)
            kinds.setdefault(one.channel_names, []).append(i)
        notes = [f"{note} ({count:,} images)" for note, count in said.items()]
        if len(types) > 1:
            listed = self._listed({np.dtype(kind).name: rows for kind, rows in types.items()})
            raise PatchError(
                f"The images in {self._where} have different pixel types ({listed}); convert "
                "them to one type or move them to folders of their own."
            )
        if set(kinds) == {GREY, RGB}:
            notes.append(
                f"{len(kinds[GREY]):,} grey images among colour ones were repeated to RGB."
            )
            return RGB, notes
        if len(kinds) > 1:
            listed = self._listed({" + ".join(kind): rows for kind, rows in kinds.items()})
            raise PatchError(
                f"The images in {self._where} have different channels ({listed}); move them to "
                "folders of their own."
            )
        return next(iter(kinds)), notes

    def _listed(self, groups: dict[str, list[int]]) -> str:
        ordered = sorted(groups.items(), key=lambda item: -len(item[1]))[:3]
        return ", ".join(
            f"{len(rows):,} of {kind} such as {self._names[rows[0]]}" for kind, rows in ordered
        )


def try_decode(
    path: str,
    axes: str,
    digest: Callable[[Any], None] | None = None,
    *,
    numbers: bool = False,
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
