"""The arrays of an .npz file: what they are, and their values, read when they are wanted."""

from __future__ import annotations

import math
import threading
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import arrange, channel_axis, extents, lead_axes
from napari_patchmap.patches.images import ArrayImages, GatheredImages, Images, same_sizes
from napari_patchmap.patches.numbers import as_pixels, pixel_type
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.readers.flat import FlatImages
from napari_patchmap.patches.readers.npy import Head, read_head
from napari_patchmap.patches.room import check_room
from napari_patchmap.patches.watch import Watch

#: Compressed images up to this many bytes are kept in memory.
_SMALL = 64_000_000

#: What reading a damaged or odd zip file may raise.
ZIP_ERRORS = (
    ValueError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
)


class Member:
    """One array of an .npz file; raises one of ZIP_ERRORS if ``stream`` begins with none."""

    def __init__(self, path: Path, info: zipfile.ZipInfo, stream: IO[bytes]) -> None:
        self.path, self.info = path, info
        self.key = info.filename.removesuffix(".npy")
        self.head: Head = read_head(stream)
        self.shape, self.dtype = self.head.shape, self.head.dtype
        self.nbytes = self.head.nbytes
        if not self.dtype.hasobject and self.head.offset + self.nbytes != info.file_size:
            raise EOFError(f"{self.key!r} is not as long as it should be")

    def refuse_objects(self) -> None:
        """Raise a :class:`PatchError` if these are Python objects."""
        if self.dtype.hasobject:
            raise PatchError(
                f"{self.path} holds Python objects in {self.key!r}, which are not loaded "
                "because they can run code; save it again as plain numbers or text, for "
                f"example with {self.key}=numpy.array({self.key}, dtype=str)."
            )

    def read(self, watch: Watch) -> np.ndarray:
        """Return all values.

        Raises
        ------
        PatchError
            If they are Python objects, or more than the memory takes.
        one of ZIP_ERRORS, OSError
            If the file is damaged.
        """
        self.refuse_objects()
        remedy = "save it with numpy.savez, which does not compress, or in smaller parts"
        check_room(self.nbytes, f"{self.key!r} in {self.path}", remedy)
        with zipfile.ZipFile(self.path) as file, file.open(self.info) as stream:
            counted = _Counted(stream, self.head, watch)
            values: np.ndarray = npy.read_array(counted, allow_pickle=False)
            stream.read(1)  # the end, where the checksum is looked at
        return values

    def images(self, axes: str, watch: Watch) -> Images:
        """Return the array as images: where it lies if it is not compressed, else unpacked."""
        if self.info.compress_type == zipfile.ZIP_STORED and not self.dtype.hasobject:
            with self.path.open("rb") as file:
                file.seek(self.info.header_offset)
                local = file.read(30)
            name, extra = (int.from_bytes(local[i : i + 2], "little") for i in (26, 28))
            offset = self.info.header_offset + 30 + name + extra + self.head.offset
            images = FlatImages(
                RandomFile(self.path),
                offset,
                self.dtype,
                self.shape,
                axes,
                fortran=self.head.fortran,
            )
            if not images.complete().all():
                raise EOFError(f"{self.key!r} is cut off")
            return images
        if self.nbytes > _SMALL and not self.head.fortran and _is_in_order(axes):
            return StreamImages(self, axes)
        return ArrayImages(arrange(as_pixels(self.read(watch)), axes))


class _Counted:
    """Tells how many images of an array were read from a stream, and can so be cancelled."""

    def __init__(self, stream: IO[bytes], head: Head, watch: Watch) -> None:
        self._stream, self._nbytes, self._watch = stream, max(1, head.nbytes), watch
        self._images = head.shape[0] if head.shape else 1
        self._done = -head.offset  # what lies before the first value is no image

    def read(self, size: int = -1, /) -> bytes:
        done = min(max(0, self._done), self._nbytes)
        self._watch.step(self._images * done // self._nbytes, self._images)
        data = self._stream.read(size)
        self._done += len(data)
        return data


class StreamImages(Images):
    """Images one after another in a compressed member, unpacked from its beginning on.

    The member is not in Fortran order, and the image's ``axes`` come last.
    """

    sequential = True

    def __init__(self, member: Member, axes: str) -> None:
        self._member = member
        lead = len(lead_axes(axes))
        self._inner, self._shape = axes[lead:], member.shape[lead:]
        self._each = math.prod(self._shape) * member.dtype.itemsize
        *sizes, self.channels = extents(member.shape, axes)
        self.dtype, self.sizes = pixel_type(member.dtype), same_sizes(*sizes)
        self._lock = threading.Lock()
        self._file: zipfile.ZipFile | None = None
        self._stream: IO[bytes] | None = None
        self._next = 0  # where the stream stands
        self._damage: tuple[int, str] | None = None  # from where on, and what it is

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        with self._lock:
            data = self._read(index)
        stored = np.ndarray(self._shape, self._member.dtype, data.data)
        image = arrange(as_pixels(stored), self._inner)[0]
        return np.ascontiguousarray(image, self.dtype)

    def _read(self, index: int) -> np.ndarray:
        """Unpack the bytes of one image; what lies before it is unpacked and let go."""
        member = self._member
        if self._damage is not None and index >= self._damage[0]:
            raise PatchError(self._damage[1])
        data = np.empty(0, np.uint8)
        try:
            if self._stream is None or index < self._next:
                self._close()
                self._file = zipfile.ZipFile(member.path)
                self._stream = self._file.open(member.info)
                self._stream.read(member.head.offset)
                self._next = 0
            while self._next <= index:
                data = np.frombuffer(bytearray(self._stream.read(self._each)), np.uint8)
                if len(data) < self._each:
                    raise EOFError("it ends too early")
                self._next += 1
        except (OSError, *ZIP_ERRORS) as error:
            at = self._next
            self._close()
            words = (
                f"{member.path} is damaged in {member.key!r} from image {at} on ({error}); "
                "copy or save it again."
            )
            self._damage = at, words
            raise PatchError(words) from None
        return data

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        if self._file is not None:
            self._file.close()
        self._file = self._stream = None

    def __del__(self) -> None:
        self._close()


def joined(parts: Sequence[Images]) -> Images:
    """Join images that agree; those in memory stay one array."""
    if len(parts) == 1:
        return parts[0]
    arrays = [part.array for part in parts if isinstance(part, ArrayImages)]
    if len(arrays) == len(parts):
        return ArrayImages(np.concatenate(arrays))
    return GatheredImages.joined(parts)


def _is_in_order(axes: str) -> bool:
    """Whether the image's axes come last, so that images lie one after another."""
    inner = {"Y", "X", channel_axis(axes)} - {None}
    return set(axes[len(axes) - len(inner) :]) == inner
