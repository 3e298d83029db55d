"""How large an image claims to be, from its first bytes, before memory is given to it."""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

from napari_patchmap.errors import UnusableError

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
BMP = b"BM"
RIFF, WEBP = b"RIFF", b"WEBP"  # with the length of the file between them
GIF = (b"GIF87a", b"GIF89a")
JP2 = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")

#: The most pixels that an image of a folder may claim, 8,192 x 8,192. A file of a few
#: bytes may claim thousands of times more than this and fill the memory. Patches are
#: trained at about 64 pixels a side; whatever is larger is a slide to be cut into tiles.
MOST_PIXELS = 2**26

#: Markers of a JPEG's frame header: SOF0 to SOF15 without DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

#: TIFF tags and the formats of their values.
_WIDTH, _HEIGHT = 256, 257
_FORMATS = {3: "H", 4: "I", 16: "Q"}


def check_size(size: tuple[int, int] | None) -> None:
    """Refuse a (height, width) that is too large for a patch; None, not known, passes.

    Raises
    ------
    UnusableError
    """
    if size is not None and size[0] * size[1] > MOST_PIXELS:
        raise UnusableError(
            f"claims {size[1]:,} x {size[0]:,} pixels, too large for a patch",
            "cut it into tiles (a TIFF alone opens as a slide), or remove it if it cannot be "
            "that large",
        )


def png_size(data: bytes) -> tuple[int, int] | None:
    """Height and width that a PNG claims, None if its header is cut off."""
    if len(data) < 24:
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


class JpegFrame(NamedTuple):
    """What the frame header of a JPEG says."""

    bits: int
    height: int
    width: int
    channels: int


def jpeg_frame(data: bytes) -> JpegFrame | None:
    """Read the frame header of a JPEG, None without one."""
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return JpegFrame(*struct.unpack_from(">BHHB", data, at + 4))
        # A fill byte; or a segment to be jumped over.
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def has_jpeg_end(data: bytes) -> bool:
    """Walk through the segments of a JPEG and say whether its image comes to an end.

    Files may go on after the end of the image, and an embedded preview has an
    end of its own, so the last or the first end marker proves nothing.
    """
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xD9:
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # compressed data follow: on to the next real marker
            while True:
                at = data.find(b"\xff", at)
                if at < 0 or at + 1 >= len(data):
                    return False
                if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
                    break
                at += 2
    return data[at : at + 2] == b"\xff\xd9"


def bmp_size(data: bytes) -> tuple[int, int] | None:
    """Height and width that a BMP claims; rows may be stored from the top (negative)."""
    if len(data) < 26:
        return None
    if struct.unpack_from("<I", data, 14)[0] == 12:  # of OS/2
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(height), abs(width)


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Height and width that a WebP claims, by the kind of its first chunk."""
    if len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[27:30], "little"), 1 + int.from_bytes(
            data[24:27], "little"
        )
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return height & 0x3FFF, width & 0x3FFF
    return None


def jp2_size(data: bytes, start: int) -> tuple[int, int]:
    """Height and width that a JPEG 2000 claims, whose codestream begins at ``start``."""
    width, height, left, top = struct.unpack_from(">IIII", data, start + 8)
    return max(0, height - top), max(0, width - left)


def tiff_size(file: BinaryIO, head: bytes) -> tuple[int, int] | None:
    """Height and width of the first page of a TIFF; None if the file ends before them.

    ``head`` are the file's first 16 bytes or more; its position is moved.
    """
    order, big = "<" if head[:1] == b"I" else ">", b"+" in head[2:4]
    offset, count, entry = ("Q", "Q", "HHQ8s") if big else ("I", "H", "HHI4s")
    start, entry = 8 if big else 4, order + entry
    try:
        (at,) = struct.unpack_from(order + offset, head, start)
        file.seek(at)
        (tags,) = struct.unpack(order + count, file.read(struct.calcsize(count)))
        # More tags than anybody writes: damaged, which the decoder will say.
        data = file.read(min(tags, 4096) * struct.calcsize(entry))
        found: dict[int, int] = {}
        for code, kind, _, value in struct.iter_unpack(entry, data):
            if code in (_WIDTH, _HEIGHT) and kind in _FORMATS:
                (found[code],) = struct.unpack_from(order + _FORMATS[kind], value)
    except (struct.error, OSError, OverflowError, ValueError):
        return None
    if len(found) < 2:
        return None
    return found[_HEIGHT], found[_WIDTH]
